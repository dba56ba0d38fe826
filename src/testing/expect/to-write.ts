import type { Flow } from '../../define/flow.ts'
import { pipeline } from '../../define/pipeline.ts'
import type { Stream } from '../../define/stream.ts'
import { UsageError } from '../../model/errors.ts'
import { defined } from '../../value/defined.ts'
import { loadedRows, type LoadedOptions } from '../write/loaded.ts'
import { sameStored, withoutAdded, type StoredRow } from '../write/stored-rows.ts'
import { differenceOf } from './difference.ts'
import { flowOf, type ReadingOptions } from './read-flow.ts'

/** Options of `toWrite()`. */
export interface WriteOptions extends Pick<LoadedOptions, 'database' | 'into'> {
  /** The number of records that may be rejected. @default 0 */
  readonly rejects?: number
}

/** The rows of a stream's table after a run, and what they differ in from those expected. */
export interface Written {
  readonly actual: readonly StoredRow[]
  readonly difference: string | undefined
}

/** Runs a stream into its table and compares the rows. */
export async function writtenBy<Row>(
  stream: Flow<Row> | Stream<Row>,
  { from, secrets, pages, signal, since, until }: ReadingOptions,
  expected: readonly object[],
  { rejects = 0, database, into }: WriteOptions,
): Promise<Written> {
  if (since !== undefined || until !== undefined)
    throw new UsageError('toWrite(): a run reads from the start. Leave out since and until')
  const flow = flowOf(stream)
  const { tables, report, rejectedBefore } = await loadedRows(
    pipeline('test', { streams: { stream: flow } }),
    defined({ from, secrets, pages, signal, database, into }),
  )
  const rejected = rejectedBefore + (report.streams.stream?.counts.rejected ?? 0)
  const actual = withoutAdded(tables[flow.table.name] ?? [], expected)
  if (rejected !== rejects) return { actual, difference: `${rejected} records were rejected, and ${rejects} expected` }
  return { actual, difference: differenceOf(actual, expected, { equal: sameStored }) }
}
