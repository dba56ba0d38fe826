import type { Database } from '../../database/database.ts'
import type { Position } from '../../model/page.ts'
import type { Range } from '../../model/request.ts'
import { defined } from '../../value/defined.ts'
import type { StreamName } from '../stream-name.ts'

// Jobs of slices that no run will read again: migrations/0030_given_up_jobs.sql.

/** What a slice that was given up waited for. */
export interface GivenUpSlice extends Range {
  readonly position: Position
  /** The definition that opened it. */
  readonly definition: string
}

/** Takes the slices of a stream that were closed with a job. No other call returns the same ones. */
export async function takeGivenUp(
  database: Database,
  { pipeline, stream, partition = '' }: StreamName,
  signal: AbortSignal,
): Promise<GivenUpSlice[]> {
  const rows = await database.query<{
    position: string
    since: string | null
    until: string | null
    definition: string
  }>('select * from sluice.take_jobs($1, $2, $3)', [pipeline, stream, partition], { signal })
  return rows.map(({ position, since, until, definition }) => ({
    position: JSON.parse(position) as Position,
    definition,
    ...defined({ since: since ?? undefined, until: until ?? undefined }),
  }))
}

/**
 * True if a slice that may still be read waits for the job with this id, as positions hold it. `except`: a slice that
 * does not count.
 */
export async function isJobAwaited(
  database: Database,
  id: string,
  { except, signal }: { readonly except?: string | undefined; readonly signal: AbortSignal },
): Promise<boolean> {
  // As sluice.is_job_awaited, which knows no exception.
  const row = await database.one<{ awaited: boolean }>(
    `select exists (
       select from sluice.slices as s
        where s.status in ('open', 'failed') and s.id is distinct from $2
          and strpos(s.position::text, '"job":{"id":' || $1 || ',') > 0) as awaited`,
    [JSON.stringify(id), except ?? null],
    { signal },
  )
  return row.awaited
}
