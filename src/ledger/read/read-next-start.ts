import type { Queryable } from '../../database/queryable.ts'
import type { StreamName } from '../stream-name.ts'

/** Where the next run of a stream begins. */
export interface NextStart {
  /** The start of the reading; undefined if it reads everything. */
  readonly since: string | undefined
  /** True if it first reads the rest of an interrupted reading, which had this start. */
  readonly isInterrupted: boolean
  /** Appended rows at the cursor that the next run meets again, as hash → count. Only without a key. */
  readonly boundary: Readonly<Record<string, number>>
}

/** Returns where the next run of a stream begins. */
export async function readNextStart(on: Queryable, { pipeline, stream }: StreamName): Promise<NextStart> {
  const row = await on.one<{
    cursor: string | null
    boundary: Readonly<Record<string, number>> | null
    since: string | null
    isInterrupted: boolean
  }>(
    `select c.value as cursor, c.boundary, s.since, s.id is not null as "isInterrupted"
       from (values (1)) as one
       left join sluice.cursors as c on (c.pipeline, c.stream, c.partition) = ($1, $2, '')
       left join lateral (
         select id, since from sluice.slices
          where (pipeline, stream, partition) = ($1, $2, '') and kind = 'sync' and status = 'open'
          order by id limit 1) as s on true`,
    [pipeline, stream],
  )
  return {
    since: (row.isInterrupted ? row.since : row.cursor) ?? undefined,
    isInterrupted: row.isInterrupted,
    boundary: row.boundary ?? {},
  }
}
