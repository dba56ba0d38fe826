import type { Database } from '../../database/database.ts'
import { compareCursors } from '../../value/cursor-order.ts'
import type { StreamName } from '../stream-name.ts'

/**
 * Notes the open readings of a stream that a run has covered: it read the same again, with proof. A sync covers earlier
 * readings that began where it began or later. Windows cover a window whose range they fill.
 */
export async function coverOpenReadings(
  database: Database,
  {
    pipeline,
    stream,
    partition = '',
    run,
    signal,
  }: StreamName & { readonly run: string; readonly signal: AbortSignal },
): Promise<void> {
  const found = await database.query<Candidate>(
    `select slice, covered_by as "coveredBy", since, covered_since as "coveredSince"
       from sluice.find_covering($1, $2, $3, $4)`,
    [run, pipeline, stream, partition],
    { signal },
  )
  // Readings are compared by the beginning that the API's own order of values gives them.
  const covered = found.filter(
    ({ since, coveredSince }) => coveredSince === null || (since !== null && compareCursors(coveredSince, since) <= 0),
  )
  if (covered.length === 0) return
  await database.query(
    'select sluice.cover($1, $2)',
    [covered.map(({ slice }) => slice), covered.map(({ coveredBy }) => coveredBy)],
    { signal },
  )
}

interface Candidate {
  readonly slice: string
  readonly coveredBy: string
  readonly since: string | null
  readonly coveredSince: string | null
}
