import type { Database } from '../../database/database.ts'

/** Removes mirrors whose slice is done, was closed or does not exist any more, with their keys. */
export async function dropOrphanMirrors(
  database: Database,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<void> {
  await using transaction = await database.transaction({ lockTimeout: '1s', signal })
  await transaction.commit(`
    delete from sluice.mirrors as m
     where not exists (select from sluice.slices as s where s.id = m.slice and s.status = 'open');
    delete from sluice.mirror_keys as k where not exists (select from sluice.mirrors as m where m.slice = k.slice);
    delete from sluice.mirrored_lists as l where not exists (select from sluice.mirrors as m where m.slice = l.slice)`)
}
