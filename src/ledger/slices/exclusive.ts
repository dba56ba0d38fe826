import type { Database } from '../../database/database.ts'
import type { Holder } from './claim.ts'
import type { StreamName } from './close.ts'

// Where nothing says which of two rows is newer, a backfill and a live run of one stream must not be at it together: an
// older row could overwrite a newer one. Each first claims and then looks for the other, so that at least one of the
// two sees it.

/** Say whether the windows of a backfill are to be read with no live run beside. */
export async function setExclusive(
  database: Database,
  backfill: string,
  alone: boolean,
  signal: AbortSignal,
): Promise<void> {
  await database.query('update sluice.backfills set alone = $2 where id = $1 and alone <> $2', [backfill, alone], {
    signal,
  })
}

/** The live run that is reading a stream now. */
export async function findActiveSync(
  database: Database,
  name: StreamName,
  signal: AbortSignal,
): Promise<Holder | undefined> {
  return holder(database, `s.kind = 'sync'`, name, signal)
}

/** The backfill that is reading a window of a stream now, and must be alone. */
export async function findExclusiveBackfill(
  database: Database,
  name: StreamName,
  signal: AbortSignal,
): Promise<Holder | undefined> {
  return holder(
    database,
    `s.kind = 'backfill' and (select b.alone from sluice.backfills as b where b.id = s.backfill)`,
    name,
    signal,
  )
}

async function holder(
  database: Database,
  which: string,
  { pipeline, stream, partition = '' }: StreamName,
  signal: AbortSignal,
): Promise<Holder | undefined> {
  const [row] = await database.query<{ slice: string; run: string; until: Date; pid: number | null }>(
    `select s.id as slice, s.run, s.lease_until as until, s.lease_pid as pid from sluice.slices as s
      where (s.pipeline, s.stream, s.partition) = ($1, $2, $3) and s.status = 'open' and s.lease_until is not null and ${which} and not sluice.is_claimable(s) order by s.id limit 1`,
    [pipeline, stream, partition],
    { signal },
  )
  return row && { ...row, pid: row.pid ?? undefined }
}
