import { AssertionError } from 'node:assert'
import { Flow } from '../../define/flow.ts'
import type { AccountsPipeline, Flows, Pipeline } from '../../define/pipeline.ts'
import { rejectUnknownOptions } from '../../model/unknown-option.ts'
import { source } from '../../define/stream.ts'
import { UsageError } from '../../model/errors.ts'
import type { Report } from '../../model/report.ts'
import { withTransport } from '../../read/with-transport.ts'
import { runPipeline } from '../../run/run-pipeline.ts'
import { defined } from '../../value/defined.ts'
import { accountFor } from '../accounts/account-of.ts'
import { testTransport } from '../answers/answer-source.ts'
import { testEnvironment } from '../answers/test-environment.ts'
import { readFlow, recordedPages, type ReadingOptions } from '../expect/read-flow.ts'
import type { StoredRow } from './stored-rows.ts'
import { temporaryDatabase, type TemporaryDatabase, type TemporaryDatabaseOptions } from './temporary-database.ts'

/** Options of `loaded()`. */
export interface LoadedOptions extends Omit<ReadingOptions, 'since' | 'until'>, TemporaryDatabaseOptions {
  /** The account, of a pipeline that has several. @default that of the recording */
  readonly account?: string
  /** Only these streams. @default all */
  readonly streams?: readonly string[]
  /** The database that is written to. @default a temporary one, which is dropped at the end */
  readonly into?: Pick<TemporaryDatabase, 'url' | 'rows'>
}

/** What a run has written. */
export interface Loaded<Name extends string = string> {
  /** The rows of each table, by its name, in the order of its key. */
  readonly tables: Readonly<Record<string, readonly StoredRow[]>>
  readonly report: Report<Name>
}

const OPTIONS: readonly (keyof LoadedOptions)[] = [
  'from',
  'account',
  'secrets',
  'pages',
  'signal',
  'database',
  'streams',
  'into',
]

/** The longest run of a test, unless it gives a signal. */
const LONGEST_MS = 120_000

/**
 * Runs a pipeline with given answers into a temporary database, and returns the rows of its tables. It is the run of
 * `sluice run`: with batches, keys and the ledger. The database is dropped at the end.
 *
 * Of a recording that stopped before the end of a list, the rows of its pages are written.
 *
 * @throws AssertionError if a stream fails
 *
 * @example
 * const { tables, report } = await loaded(shop, { from: replay('test/shop.json') })
 * assert.deepEqual(tables['shop.orders']?.[0], { id: 1, total: 12.5, placed_at: '2025-01-01T00:00:00+00:00' })
 */
export async function loaded<Streams extends Flows>(
  pipeline: Pipeline<Streams> | AccountsPipeline<Streams>,
  options: LoadedOptions = {},
): Promise<Loaded<keyof Streams & string>> {
  const { tables, report } = await loadedRows(pipeline, options)
  return { tables, report }
}

/** As `loaded()`, with the number of records that were rejected before the run: those of pages that were cut. */
export async function loadedRows<Streams extends Flows>(
  definition: Pipeline<Streams> | AccountsPipeline<Streams>,
  options: LoadedOptions,
): Promise<Loaded<keyof Streams & string> & { readonly rejectedBefore: number }> {
  rejectUnknownOptions('loaded()', options, OPTIONS)
  const { from, secrets = {}, signal = AbortSignal.timeout(LONGEST_MS), into, streams } = options
  const pipeline = accountFor('loaded()', definition, options)
  await using opened = new AsyncDisposableStack()
  const database = into ?? opened.use(await temporaryDatabase({ ...defined({ database: options.database }), signal }))
  const { given, rejectedBefore } = isCut(options)
    ? await withReadRows(pipeline, options)
    : { given: pipeline, rejectedBefore: 0 }
  const errors: unknown[] = []
  const report = await withTransport(testTransport(from), () =>
    runPipeline(given, {
      database: database.url,
      environment: testEnvironment(secrets),
      signal,
      onStreamError: (_, error) => errors.push(error),
      ...defined({ streams }),
    }),
  )
  // The test is wrong, and not the pipeline.
  for (const error of errors) if (error instanceof UsageError) throw error
  throwIfFailed(report, errors[0])
  const names = Object.values<{ readonly table: string }>(report.streams).map(({ table }) => table)
  const tables = await Promise.all([...new Set(names)].map(async (name) => [name, await database.rows(name)] as const))
  return { tables: Object.fromEntries(tables), report, rejectedBefore }
}

/** True if not all pages of a list are read. */
const isCut = ({ from, pages }: LoadedOptions): boolean => (pages ?? recordedPages(from)) !== undefined

/** Returns the pipeline with the rows of the first pages in place of its sources: a run reads every list to its end. */
async function withReadRows(
  pipeline: Pipeline,
  options: LoadedOptions,
): Promise<{ readonly given: Pipeline; readonly rejectedBefore: number }> {
  const { from, secrets, pages, signal } = options
  const streams: Record<string, Flow<unknown>> = {}
  let rejectedBefore = 0
  for (const [name, flow] of Object.entries(pipeline.streams)) {
    const read = await readFlow(flow, defined({ from, secrets, pages, signal }))
    if ('error' in read) throw read.error
    rejectedBefore += read.counts.rejected
    const rows = source(async function* () {
      yield { records: read.rows }
    })
    streams[name] = new Flow(rows.recipe, flow.table)
  }
  return { given: { ...pipeline, streams }, rejectedBefore }
}

function throwIfFailed({ status, pipeline, streams }: Report, cause: unknown): void {
  if (status === 'done') return
  const failed = Object.entries(streams).flatMap(([name, { error }]) =>
    error === undefined ? [] : [`\n  ${name}: ${error}`],
  )
  const error = new AssertionError({ message: `loaded(${pipeline}): the run ended as ${status}${failed.join('')}` })
  error.cause = cause
  throw error
}
