import { Flow } from '../../define/flow.ts'
import type { Stream } from '../../define/stream.ts'
import { tableOf } from '../../define/table/table.ts'
import type { Completeness } from '../../model/completeness.ts'
import { NO_READ_COUNTS } from '../../model/counts.ts'
import { UsageError } from '../../model/errors.ts'
import type { ReadCounts, Reject } from '../../model/page.ts'
import type { Range } from '../../model/request.ts'
import { withTransport } from '../../read/with-transport.ts'
import { sample } from '../../run/check/sample.ts'
import { defined } from '../../value/defined.ts'
import { replaysOf, testTransport, type Answers } from '../answers/answer-source.ts'
import { testEnvironment, type TestVariables } from '../answers/test-environment.ts'
import { testTokens } from '../answers/test-tokens.ts'
import { shown } from './difference.ts'

/** Options of a reading in a test. */
export interface ReadingOptions extends Range {
  /** What answers the requests. @default only servers on this machine are asked */
  readonly from?: Answers
  /** Values of variables, for secrets that need a certain form, such as keys. @default `test-NAME` for each secret */
  readonly secrets?: TestVariables
  /** Stops after this number of pages. @default all, or as many as were recorded */
  readonly pages?: number
  /** Ends the reading. @default after one minute */
  readonly signal?: AbortSignal
}

/** What was read, through all stages and the checks of the table. */
export interface TestReading<Row> {
  /** The rows that would be stored, with the names of the record's fields. */
  readonly rows: readonly Row[]
  readonly rejects: readonly Reject[]
  readonly counts: ReadCounts
  /** How sure it is that everything was read. Undefined if the reading stopped before its end. */
  readonly completeness: Completeness | undefined
  /** The error that ended the reading. */
  readonly error?: unknown
}

/** The longest reading of a test, unless it gives a signal. */
const LONGEST_MS = 60_000

/** Reads a flow as `sluice preview` does: nothing is stored. Returns an error instead of throwing it. */
export async function readFlow<Row>(
  given: Flow<Row> | Stream<Row>,
  { from, secrets = {}, pages, signal = AbortSignal.timeout(LONGEST_MS), since, until }: ReadingOptions,
): Promise<TestReading<Row>> {
  const flow = flowOf(given)
  const limit = pages ?? recordedPages(from)
  try {
    const read = await withTransport(testTransport(from), () =>
      sample(flow, {
        ...defined({ since, until, pages: limit }),
        stream: flow.table.name,
        environment: testEnvironment(secrets),
        tokens: testTokens(),
        signal,
      }),
    )
    return {
      rows: read.rows as readonly Row[],
      rejects: read.rejects,
      counts: read.counts,
      completeness: read.isWhole ? read.completeness : undefined,
    }
  } catch (error) {
    return { rows: [], rejects: [], counts: NO_READ_COUNTS, completeness: undefined, error }
  }
}

/** Returns how many pages of a stream were recorded, if there are more. */
export function recordedPages(from: Answers): number | undefined {
  const cut = replaysOf(from).filter(({ isWhole }) => !isWhole)
  return cut.length > 0 ? Math.max(...cut.map(({ pages }) => pages)) : undefined
}

/** Returns a flow, or the one of a stream without a table. */
export function flowOf<Row>(given: Flow<Row> | Stream<Row>): Flow<unknown> {
  // The members, and not the class: a pipeline may import another copy of this package.
  const isStream = typeof given === 'object' && given !== null && 'recipe' in given
  if (isStream && 'table' in given) return given
  if (isStream) return new Flow(given.recipe, tableOf('test.rows', { write: 'append' }, given.recipe))
  throw new UsageError(
    `expectStream(): give a stream or a flow, such as shop.streams.orders of a pipeline, not ${shown(given)}`,
  )
}
