import { UsageError } from '../model/errors.ts'
import { hasOwnCursor } from '../model/own-cursor.ts'
import type { FieldOf, PathTo } from '../model/path.ts'
import type { Read, Recipe, Stage, StandardSchema, WriteMode } from '../model/recipe.ts'
import { checkDownloadOptions, downloadStage, type DownloadOptions } from './api/download.ts'
import { rejectUnknownOptions } from '../model/unknown-option.ts'
import { flagOf, recordCondition, type RecordCondition } from './api/condition.ts'
import { Batches } from './batches.ts'
import { defined } from '../value/defined.ts'
import { Flow } from './flow.ts'
import { incrementalOf, type Comparable, type IncrementalOptions, type ValueAt } from './incremental.ts'
import { atOnce, proven, type DedupeOptions, type StageOptions } from './stage-options.ts'
import { tableOf } from './table/table.ts'
import type { TableName, TableOptions } from './table/table-options.ts'

/**
 * A stream of records of type `T`: how to read them. Each method returns a new stream. Nothing is requested until a run
 * reads it.
 *
 * @example
 * const paid: Stream<Order> = orders.filter((order) => order.status === 'paid')
 */
// `out T`: the compiler checks here that a stream of records with more fields can stand in for one with fewer.
export class Stream<out T> {
  readonly recipe: Recipe

  constructor(recipe: Recipe) {
    this.recipe = Object.freeze({ ...recipe, stages: Object.freeze(recipe.stages) })
    Object.freeze(this)
  }

  /**
   * Makes one record of each. A function that throws rejects this record only.
   *
   * @example
   * orders.map((order) => ({ ...order, total: order.net + order.tax }))
   */
  map<U>(
    fn: (record: T, signal: AbortSignal) => U | Promise<U>,
    options: StageOptions & {
      /** `false` passes records on as they complete, within a page. @default true */ ordered?: boolean
    } = {},
  ): Stream<U> {
    rejectUnknownOptions('.map()', options, { concurrency: true, ordered: true })
    const { concurrency = 1, ordered = true } = options
    return this.#then({ type: 'map', fn: proven('.map()', fn), concurrency: atOnce('map', { concurrency }), ordered })
  }

  /**
   * Keeps the records for which the function returns true. A type guard narrows their type.
   *
   * @example
   * orders.filter((order) => order.status !== 'draft')
   */
  filter<U extends T = T>(keep: ((record: T) => record is U) | ((record: T) => boolean)): Stream<U> {
    return this.#then({ type: 'filter', fn: proven('.filter()', keep) })
  }

  /**
   * Says which records the API announces as deleted. The rows of their keys are deleted from a table that is merged, or
   * marked with `deleted: 'mark'`; the report counts them. Such a record seldom has all fields, so write `.deleted()`
   * before the stages that need whole records: of the later ones, only `.rename()` sees it. A function that throws
   * rejects this record only.
   *
   * @example
   * tickets.deleted({ field: 'status', is: 'deleted' })
   */
  deleted<Row, Gone extends Row = never>(
    this: Stream<Row>,
    isDeleted: ((record: Row) => record is Gone) | ((record: Row) => boolean) | RecordCondition<Row>,
  ): Stream<Exclude<Row, Gone>> {
    if (typeof isDeleted !== 'object') return this.#then({ type: 'deleted', fn: proven('.deleted()', isDeleted) })
    return this.#then({ type: 'deleted', where: recordCondition('.deleted()', isDeleted) })
  }

  /**
   * Adds a field that is true where a record fits a condition, else false, such as a column for a status.
   *
   * @example
   * items.flag('is_folder', { field: 'folder', exists: true })
   */
  flag<Row, const Name extends string>(
    this: Stream<Row>,
    name: Name,
    condition: RecordCondition<Row>,
  ): Stream<Omit<Row, Name> & { [Field in Name]: boolean }> {
    return this.#then({ type: 'flag', ...flagOf(name, condition) })
  }

  /**
   * Reads a stream for each record, such as the invoices of each customer, `concurrency` at a time and in order. A
   * function that returns a list makes several records of each. `inBatches` reads one stream for several records.
   *
   * @example
   * customers.flatMap((customer) =>
   *   api.get<Invoice[]>(path`/customers/${customer.id}/invoices`).pages(byLinkHeader()).records(),
   * )
   */
  flatMap<U>(
    fn: ((record: T, signal: AbortSignal) => Stream<U> | Iterable<U> | Promise<Iterable<U>>) | Batches<T, U>,
    options: StageOptions = {},
  ): Stream<U> {
    const limited = { concurrency: atOnce('flatMap', options) }
    if (fn instanceof Batches) return this.#then({ type: 'flatMap', fn: fn.fn, batch: fn.batch, ...limited })
    return this.#then({ type: 'flatMap', fn: proven('.flatMap()', fn), ...limited })
  }

  /**
   * Reads the file whose URL each record has at a path: its records take the place of the record. The URL may expire,
   * because a run that resumes inside the file reads the record again.
   *
   * @example
   * api.get<{ files: { url: string }[] }>('/export').pages(onePage()).records('files').download<Row>('url')
   */
  download<U>(at: string, options: DownloadOptions<U> = {}): Stream<U> {
    checkDownloadOptions(options)
    const { concurrency } = options
    return this.#then(
      downloadStage(this.recipe, at, { ...options, concurrency: atOnce('download', defined({ concurrency })) }),
    )
  }

  /**
   * Calls a function with each record, for a side effect. An error that it throws fails the stream.
   *
   * @example
   * orders.tap((order) => metrics.count(order.status))
   */
  tap(fn: (record: T, signal: AbortSignal) => unknown, options: StageOptions = {}): Stream<T> {
    return this.#then({
      type: 'tap',
      // A tap's result is not used, so a function may return anything.
      fn: proven('.tap()', fn) as Extract<Stage, { type: 'tap' }>['fn'],
      concurrency: atOnce('tap', options),
    })
  }

  /**
   * Rejects records that a schema refuses, with its reason. The other records have the type of the schema.
   *
   * @example
   * orders.validate(z.object({ id: z.number(), total: z.number().positive() }))
   */
  validate<U>(schema: StandardSchema<U>): Stream<U> {
    if (typeof schema?.['~standard']?.validate !== 'function')
      throw new UsageError('.validate(): this is not a Standard Schema, as zod, valibot and arktype make them')
    return this.#then({ type: 'validate', schema })
  }

  /**
   * `map` on worker threads: the module's default export is called with each record.
   *
   * @example
   * orders.offload<typeof import('./score.ts')>(new URL('./score.ts', import.meta.url))
   */
  offload<Module extends { default: (record: T) => unknown }>(
    module: URL,
    options: StageOptions = {},
  ): Stream<Awaited<ReturnType<Module['default']>>> {
    if (!(module instanceof URL))
      throw new UsageError(
        ".offload(): give the module as new URL('./score.ts', import.meta.url), because a worker thread loads it again",
      )
    return this.#then({ type: 'offload', module: module.href, concurrency: atOnce('offload', options, 16) })
  }

  /**
   * Leaves out a record whose fields equal those of an earlier record. The last million different ones are remembered.
   *
   * @example
   * orders.dedupe('id', 'version', { last: 10_000 })
   */
  dedupe(...fields: FieldOf<T>[] | [...FieldOf<T>[], DedupeOptions]): Stream<T> {
    const options = fields.at(-1)
    if (typeof options === 'object') rejectUnknownOptions('.dedupe()', options, { last: true })
    const [by, last] =
      typeof options === 'object' ? [fields.slice(0, -1), options.last ?? 1_000_000] : [fields, 1_000_000]
    if (by.length === 0) throw new UsageError('.dedupe(): name the fields in which equal records agree')
    if (!Number.isInteger(last) || last < 1)
      throw new UsageError(`.dedupe(): last must be a whole number from 1, not ${last}`)
    // The options were cut off, so only names are left.
    return this.#then({ type: 'dedupe', by: Object.freeze(by) as readonly string[], last })
  }

  /**
   * Renames a field.
   *
   * @example
   * orders.rename('createdAt', 'created_at')
   */
  // `this: Stream<Row>` here and in `into`: conditional types over `T` itself would not allow `out T`.
  rename<Row, Old extends FieldOf<Row>, const New extends string>(
    this: Stream<Row>,
    from: Old,
    to: New,
  ): Stream<{ [Name in keyof Row as Name extends Old ? New : Name]: Row[Name] }> {
    return this.#then({ type: 'rename', from, to })
  }

  /**
   * Keeps only these fields.
   *
   * @example
   * orders.pick('id', 'total', 'updated_at')
   */
  pick<Field extends FieldOf<T>>(...fields: Field[]): Stream<Pick<T, Field>> {
    return this.#then({ type: 'pick', fields: Object.freeze(fields) })
  }

  /**
   * Removes these fields.
   *
   * @example
   * orders.omit('internal_notes')
   */
  omit<Field extends FieldOf<T>>(...fields: Field[]): Stream<{ [Name in keyof T as Exclude<Name, Field>]: T[Name] }> {
    return this.#then({ type: 'omit', fields: Object.freeze(fields) })
  }

  /**
   * Names the table for the records, with its schema, and the key of a row.
   *
   * @example
   * orders.into('shop.orders', { key: 'id' })
   */
  into<Row, Write extends WriteMode = 'merge'>(
    this: Stream<Row>,
    name: TableName<Row>,
    options: TableOptions<Row, Write>,
  ): Flow<Row> {
    if (this.recipe.incremental?.perParent)
      throw new UsageError(
        `.into('${name}'): .incremental() has perParent, which is for the stream that .flatMap() makes of each ` +
          'parent. Remove it, or put the stream into .flatMap()',
      )
    return new Flow(this.recipe, tableOf(name, options, this.recipe))
  }

  #then<U>(stage: Stage): Stream<U> {
    return new Stream({ ...this.recipe, stages: [...this.recipe.stages, Object.freeze(stage)] })
  }
}

/**
 * Records as the API returned them: what `.records()` returns. Only here a cursor can be taken, because a later stage
 * could hide the newest record.
 *
 * @example
 * const orders: Records<Order> = api.get<Order[]>('/orders').pages(onePage()).records()
 */
export class Records<out T> extends Stream<T> {
  /**
   * Names the field that each run continues after. Put `since` and `until` into the request, so that the API returns
   * only that range.
   *
   * @example
   * api.get<Order[]>('/orders', { updated_since: since }).pages(byLinkHeader()).records().incremental('updated_at')
   */
  incremental<const Where extends PathTo<T, Comparable, 2> | ((record: T) => Comparable | null | undefined)>(
    at: Where,
    options: IncrementalOptions<ValueAt<T, Where>> = {},
  ): Stream<T> {
    if (this.recipe.incremental || this.recipe.stages.length > 0)
      throw new UsageError(
        '.incremental(): write it once, directly after .records(), where no stage can hide the newest record',
      )
    if (hasOwnCursor(this.recipe))
      throw new UsageError(
        ".incremental(): the delta of .pages() is the stream's cursor, and a stream has one. Remove one of the two",
      )
    return new Stream({ ...this.recipe, incremental: incrementalOf(at, options) })
  }
}

/**
 * A custom source: an async generator of pages. If it is a child with a cursor, and its table is appended to without a
 * key, its records should contain the id of their parent: equal records at the cursor count as one.
 *
 * @example
 * const orders = source<Order>(async function* ({ since, signal }) {
 *   yield { records: await readOrders(since, signal) }
 * })
 */
export const source = <T>(read: Read<T>): Records<T> =>
  new Records({ source: Object.freeze({ read: proven('source()', read) }), stages: [] })
