import { AssertionError } from 'node:assert'
import type { Flow } from '../../define/flow.ts'
import { rejectUnknownOptions } from '../../model/unknown-option.ts'
import type { Stream } from '../../define/stream.ts'
import { openText, type Grade } from '../../model/completeness.ts'
import { UsageError } from '../../model/errors.ts'
import { messageOf } from '../../value/error.ts'
import { differenceOf, shown } from './difference.ts'
import { readFlow, type ReadingOptions, type TestReading } from './read-flow.ts'
import { same } from './same.ts'
import { writtenBy, type WriteOptions } from './to-write.ts'

/** Some of the members of a record, at any depth. */
export type PartOf<T> = T extends readonly unknown[] | Date
  ? T
  : T extends object
    ? { readonly [Name in keyof T]?: PartOf<T[Name]> }
    : T

/** A record that is expected to be rejected. Members that are left out may be anything. */
export interface ExpectedReject {
  /** The stage or the check, such as `validate`. */
  readonly stage?: string
  /** A part of the reason, or a pattern. */
  readonly reason?: string | RegExp
  /** Some of the members of the record. */
  readonly record?: unknown
}

/** Options of `toYield` and its like. */
export interface YieldOptions {
  /** The number of records that may be rejected. @default 0 */
  readonly rejects?: number
}

const OPTIONS = ['from', 'secrets', 'pages', 'signal', 'since', 'until']

/**
 * Reads a stream as `sluice preview` does, with answers that are given, and compares it. No network and no database is
 * needed. Waits end at once, so a retry costs no time. Each secret is `test-NAME`. A difference is thrown as an
 * `AssertionError`, in any test framework.
 *
 * The stream is read once, when the first comparison is awaited; several comparisons may follow.
 *
 * @example
 * await expectStream(shop.streams.orders, { from: replay('test/shop.json') }).toYield([{ id: 1, total: '12.50' }])
 *
 * @example
 * await using api = await fakeApi({ paging: 'cursor', records: 250, faults: { seed: 7 } })
 * const orders = expectStream(shop.streams.orders, { from: api })
 * await orders.toYieldCount(250)
 * await orders.toBeComplete()
 */
export function expectStream<Row>(flow: Flow<Row> | Stream<Row>, options: ReadingOptions = {}): StreamExpectation<Row> {
  rejectUnknownOptions('expectStream()', options, OPTIONS)
  return new StreamExpectation(flow, options)
}

/** A stream that is compared: what `expectStream()` returns. */
export class StreamExpectation<Row> {
  readonly #flow: Flow<Row> | Stream<Row>
  readonly #options: ReadingOptions
  #reading: Promise<TestReading<Row>> | undefined

  constructor(flow: Flow<Row> | Stream<Row>, options: ReadingOptions) {
    this.#flow = flow
    this.#options = options
  }

  /**
   * Expects exactly these rows, in this order, after all stages. They have the names of the record's fields.
   *
   * @example
   * await expectStream(orders, { from: api }).toYield([{ id: 1, name: 'Ada' }])
   */
  async toYield(expected: readonly Row[], { rejects = 0 }: YieldOptions = {}): Promise<void> {
    const rows = await this.#rows('toYield', rejects)
    this.#compare('toYield', rows, expected, differenceOf(rows, expected))
  }

  /**
   * Expects each of these rows, in any order, among others. Members that are left out may be anything.
   *
   * @example
   * await expectStream(orders, { from: api }).toYieldSome([{ id: 7, customer: { city: 'Rome' } }])
   */
  async toYieldSome(expected: readonly PartOf<Row>[], { rejects = 0 }: YieldOptions = {}): Promise<void> {
    const rows = await this.#rows('toYieldSome', rejects)
    const missing = expected.filter((part) => !rows.some((row) => same(row, part, true)))
    const lines = missing.map((part) => `\n  ${shown(part)}${nearest(rows, part)}`)
    if (missing.length > 0)
      this.#fail('toYieldSome', `of ${rows.length} rows, none is like\n${lines.join('').slice(1)}`, rows, expected)
  }

  /**
   * Expects this number of rows.
   *
   * @example
   * await expectStream(orders, { from: api }).toYieldCount(250)
   */
  async toYieldCount(expected: number, { rejects = 0 }: YieldOptions = {}): Promise<void> {
    const { length } = await this.#rows('toYieldCount', rejects)
    if (length !== expected) this.#fail('toYieldCount', `expected ${expected} rows, read ${length}`, length, expected)
  }

  /**
   * Expects exactly these records to be rejected, in this order.
   *
   * @example
   * await expectStream(orders, { from: api }).toReject([{ stage: 'validate', reason: 'total', record: { id: 3 } }])
   */
  async toReject(expected: readonly ExpectedReject[]): Promise<void> {
    const { rejects, counts } = await this.#read('toReject')
    const actual = rejects.map(({ stage, reason, record }) => ({ stage, reason, record }))
    if (counts.rejected !== rejects.length) throw new TypeError(`${counts.rejected} rejects, ${rejects.length} kept`)
    const equal = (one: unknown, other: unknown): boolean => isLike(one as Rejected, other as ExpectedReject)
    const difference = differenceOf(actual, expected, { noun: 'reject', isPart: true, equal })
    this.#compare('toReject', actual, expected, difference)
  }

  /**
   * Expects a proof that everything was read: the API has said that nothing follows (`ended`), or as many different
   * records came as it stated (`counted`). Without an argument both are right.
   *
   * @example
   * await expectStream(orders, { from: api }).toBeComplete('counted')
   */
  async toBeComplete(grade?: Exclude<Grade, 'open'>): Promise<void> {
    const { completeness } = await this.#read('toBeComplete')
    if (!completeness)
      return this.#fail('toBeComplete', 'the reading stopped before the end: leave out pages', undefined, grade)
    const open = openText(completeness)
    if (open !== undefined)
      this.#fail('toBeComplete', `it is not proven that everything was read: ${open}`, 'open', grade)
    if (grade !== undefined && completeness.grade !== grade)
      this.#fail('toBeComplete', `expected ${grade}, but it is ${completeness.grade}`, completeness.grade, grade)
  }

  /**
   * Expects that it is not proven that everything was read, with this reason.
   *
   * @example
   * await expectStream(orders, { from: api }).toBeOpen('fewer records than the total')
   */
  async toBeOpen(reason: string | RegExp = ''): Promise<void> {
    const { completeness } = await this.#read('toBeOpen')
    const open = openText(completeness)
    if (open === undefined)
      return this.#fail(
        'toBeOpen',
        `expected open, but it is ${completeness?.grade ?? 'not ended'}`,
        completeness,
        'open',
      )
    if (!contains(open, reason)) this.#fail('toBeOpen', `expected the reason ${shown(reason)}: ${open}`, open, reason)
  }

  /**
   * Expects that the stream fails, with this text in its message.
   *
   * @example
   * await expectStream(orders, { from: api }).toFail('answered 403')
   */
  async toFail(message: string | RegExp = ''): Promise<void> {
    const { error, rows } = await this.reading()
    if (error === undefined)
      return this.#fail('toFail', `expected an error, but ${rows.length} rows were read`, undefined, message)
    const text = messageOf(error)
    if (!contains(text, message))
      this.#fail('toFail', `expected an error with ${shown(message)}: ${text}`, text, message, error)
  }

  /**
   * Runs the stream into a table of a temporary database, and expects exactly these rows in it, in the order of the
   * key. The names are those of the columns. Numbers and times are compared by their values.
   *
   * @example
   * await expectStream(shop.streams.orders, { from: api }).toWrite([{ id: 1, placed_at: '2025-01-01T00:00:00Z' }])
   */
  async toWrite(expected: readonly object[], options: WriteOptions = {}): Promise<void> {
    const { actual, difference } = await writtenBy(this.#flow, this.#options, expected, options)
    this.#compare('toWrite', actual, expected, difference)
  }

  /**
   * Returns the rows, for comparisons of your own. Throws the error of a reading that failed.
   *
   * @example
   * expect(await expectStream(orders, { from: api }).rows()).toMatchSnapshot()
   */
  async rows(): Promise<readonly Row[]> {
    const reading = await this.reading()
    if ('error' in reading) throw reading.error
    return reading.rows
  }

  /** Returns all that was read: rows, rejects, counts, how complete it is, and the error. */
  async reading(): Promise<TestReading<Row>> {
    this.#reading ??= readFlow(this.#flow, this.#options)
    const reading = await this.#reading
    // The test is wrong, and not the pipeline.
    if (reading.error instanceof UsageError) throw reading.error
    return reading
  }

  async #read(word: string): Promise<TestReading<Row>> {
    const reading = await this.reading()
    if (reading.error !== undefined)
      this.#fail(word, `the stream failed: ${messageOf(reading.error)}`, undefined, undefined, reading.error)
    return reading
  }

  async #rows(word: string, allowed: number): Promise<readonly Row[]> {
    const { rows, rejects } = await this.#read(word)
    const first = rejects.slice(0, 3).map(({ stage, reason }) => `\n  ${stage}: ${reason}`)
    if (rejects.length !== allowed)
      this.#fail(
        word,
        `${rejects.length} ${rejects.length === 1 ? 'record was' : 'records were'} rejected, and ${allowed} expected ` +
          `(rejects: ${rejects.length} accepts them)${first.join('')}`,
        rejects,
        allowed,
      )
    return rows
  }

  #compare(word: string, actual: unknown, expected: unknown, difference: string | undefined): void {
    if (difference !== undefined) this.#fail(word, difference, actual, expected)
  }

  #fail(word: string, text: string, actual: unknown, expected: unknown, cause?: unknown): never {
    const name = 'table' in this.#flow ? this.#flow.table.name : 'stream'
    const error = new AssertionError({
      message: `expectStream(${name}).${word}(): ${text}`,
      actual,
      expected,
      operator: word,
      stackStartFn: expectStream,
    })
    if (cause !== undefined) error.cause = cause
    throw error
  }
}

interface Rejected {
  readonly stage: string
  readonly reason: string
  readonly record: unknown
}

const isLike = (actual: Rejected, { stage = actual.stage, reason = '', record }: ExpectedReject): boolean =>
  actual.stage === stage &&
  contains(actual.reason, reason) &&
  (record === undefined || same(actual.record, record, true))

const contains = (text: string, part: string | RegExp): boolean =>
  typeof part === 'string' ? text.includes(part) : part.test(text)

/** Shows the row that shares most members with what was expected. */
function nearest(rows: readonly unknown[], part: unknown): string {
  if (typeof part !== 'object' || part === null) return ''
  const shared = (row: unknown): number =>
    Object.entries(part).filter(([name, value]) => same((row as Record<string, unknown> | null)?.[name], value, true))
      .length
  const [best] = rows.toSorted((a, b) => shared(b) - shared(a))
  return best === undefined || shared(best) === 0 ? '' : `\n    the nearest is ${shown(best)}`
}
