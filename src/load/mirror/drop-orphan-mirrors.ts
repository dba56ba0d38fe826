import type { Database } from '../../database/database.ts'

/** A reading that no run has gone on with for so long deletes nothing at its end. */
const KEPT = '7 days'

/**
 * Removes mirrors whose slice is done, was closed, does not exist any more or was left a week ago, with their keys:
 * each batch that is stored in their table would add to them.
 */
export async function dropOrphanMirrors(
  database: Database,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<void> {
  await using transaction = await database.transaction({ lockTimeout: '1s', signal })
  await transaction.commit(`
    delete from sluice.mirrors as m
     where not exists (
       select from sluice.slices as s
        where s.id = m.slice and s.status in ('open', 'failed')
          and greatest(m.began_at, s.lease_until) > clock_timestamp() - interval '${KEPT}');
    delete from sluice.mirror_keys as k where not exists (select from sluice.mirrors as m where m.slice = k.slice);
    delete from sluice.mirrored_lists as l where not exists (select from sluice.mirrors as m where m.slice = l.slice)`)
}
