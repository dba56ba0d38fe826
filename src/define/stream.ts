import { UsageError } from '../model/errors.ts'
import type { FieldOf, PathTo } from '../model/path.ts'
import type { Read, Recipe, Stage, StandardSchema, WriteMode } from '../model/recipe.ts'
import { Flow } from './flow.ts'
import { incrementalOf, type Comparable, type IncrementalOptions, type ValueAt } from './incremental.ts'
import { tableOf, type TableName, type TableOptions } from './table.ts'

/**
 * A recipe for records: nothing is requested until a run reads it. Every step answers a new recipe.
 * `out T` makes the compiler prove, here, that a stream of larger records may stand where one of smaller records is
 * asked for.
 */
export class Stream<out T> {
  readonly recipe: Recipe

  constructor(recipe: Recipe) {
    this.recipe = Object.freeze({ ...recipe, stages: Object.freeze(recipe.stages) })
    Object.freeze(this)
  }

  /** One record for each. A function that throws rejects its record alone. */
  map<U>(
    fn: (record: T, signal: AbortSignal) => U | Promise<U>,
    {
      concurrency = 1,
      ordered = true,
    }: StageOptions & { /** Hand on as completed, within a page. @default true */ ordered?: boolean } = {},
  ): Stream<U> {
    return this.#then({ type: 'map', fn: proven('map', fn), concurrency: atOnce('map', concurrency), ordered })
  }

  /** Keep the records for which `keep` is true; a type guard narrows their type. */
  filter<U extends T = T>(keep: ((record: T) => record is U) | ((record: T) => boolean)): Stream<U> {
    return this.#then({ type: 'filter', fn: proven('filter', keep) })
  }

  /**
   * A stream of its own for each record, as the invoices of each customer, read `concurrency` at a time and handed on
   * in order; or, where the function answers a list, several records for each.
   */
  flatMap<U>(
    fn: (record: T, signal: AbortSignal) => Stream<U> | Iterable<U> | Promise<Iterable<U>>,
    { concurrency = 1 }: StageOptions = {},
  ): Stream<U> {
    return this.#then({ type: 'flatMap', fn: proven('flatMap', fn), concurrency: atOnce('flatMap', concurrency) })
  }

  /**
   * Look at each record on its way, for a side effect of one's own. What it throws fails the stream: it was not the
   * record's fault.
   */
  tap(fn: (record: T, signal: AbortSignal) => unknown, { concurrency = 1 }: StageOptions = {}): Stream<T> {
    return this.#then({
      type: 'tap',
      fn: proven('tap', fn) as Extract<Stage, { type: 'tap' }>['fn'],
      concurrency: atOnce('tap', concurrency),
    })
  }

  /** Records that the schema refuses are rejected, with its reason; the others have the schema's type. */
  validate<U>(schema: StandardSchema<U>): Stream<U> {
    if (typeof schema?.['~standard']?.validate !== 'function')
      throw new UsageError('.validate(): this is no Standard Schema: zod, valibot and arktype make them')
    return this.#then({ type: 'validate', schema })
  }

  /** `map` on worker threads: `.offload<typeof import('./score.ts')>(new URL('./score.ts', import.meta.url))`. */
  offload<Module extends { default: (record: T) => unknown }>(
    module: URL,
    { concurrency = 16 }: StageOptions = {},
  ): Stream<Awaited<ReturnType<Module['default']>>> {
    if (!(module instanceof URL))
      throw new UsageError(
        ".offload(): give the module as new URL('./score.ts', import.meta.url), since a worker thread loads it anew",
      )
    return this.#then({ type: 'offload', module: module.href, concurrency: atOnce('offload', concurrency) })
  }

  /** Leave out a record that agrees in these fields with one of the last million before it. */
  dedupe(...fields: FieldOf<T>[] | [...FieldOf<T>[], DedupeOptions]): Stream<T> {
    const options = fields.at(-1)
    const [by, last] =
      typeof options === 'object' ? [fields.slice(0, -1), options.last ?? 1_000_000] : [fields, 1_000_000]
    if (by.length === 0) throw new UsageError('.dedupe(): name the fields in which equal records agree')
    if (!Number.isInteger(last) || last < 1)
      throw new UsageError(`.dedupe(): last must be a whole number from 1, not ${last}`)
    return this.#then({ type: 'dedupe', by: Object.freeze(by) as readonly string[], last })
  }

  // `this: Stream<Row>` here and in `into`: conditional types over `T` itself would cost the `out`.
  rename<Row, Old extends FieldOf<Row>, const New extends string>(
    this: Stream<Row>,
    from: Old,
    to: New,
  ): Stream<{ [Name in keyof Row as Name extends Old ? New : Name]: Row[Name] }> {
    return this.#then({ type: 'rename', from, to })
  }

  pick<Field extends FieldOf<T>>(...fields: Field[]): Stream<Pick<T, Field>> {
    return this.#then({ type: 'pick', fields: Object.freeze(fields) })
  }

  omit<Field extends FieldOf<T>>(...fields: Field[]): Stream<{ [Name in keyof T as Exclude<Name, Field>]: T[Name] }> {
    return this.#then({ type: 'omit', fields: Object.freeze(fields) })
  }

  /** Where the records land: schema and table, and the fields that say which row it is. */
  into<Row, Write extends WriteMode = 'merge'>(
    this: Stream<Row>,
    name: TableName<Row>,
    options: TableOptions<Row, Write>,
  ): Flow<Row> {
    return new Flow(this.recipe, tableOf(name, options, this.recipe))
  }

  #then<U>(stage: Stage): Stream<U> {
    return new Stream({ ...this.recipe, stages: [...this.recipe.stages, Object.freeze(stage)] })
  }
}

/** Records as they were answered: the only place to take the cursor from, before a filter could hide the newest. */
export class Records<out T> extends Stream<T> {
  /** Read on from the highest value seen. `since` and `until` in the request say from where to where. */
  incremental<const Where extends PathTo<T, Comparable, 2> | ((record: T) => Comparable | null | undefined)>(
    at: Where,
    options: IncrementalOptions<ValueAt<T, Where>> = {},
  ): Stream<T> {
    if (this.recipe.incremental || this.recipe.stages.length > 0)
      throw new UsageError(
        '.incremental(): stands once in a chain, directly after .records(), where no stage can hide the newest record',
      )
    return new Stream({ ...this.recipe, incremental: incrementalOf(at, options) })
  }
}

/**
 * A source of one's own: any async generator of pages. Where it is a child with a cursor and is appended without a key,
 * its records should say what they hang from: of equal ones at the cursor, that of a new parent is taken for the one of
 * another.
 */
export const source = <T>(read: Read<T>): Records<T> =>
  new Records({ source: Object.freeze({ read: proven('stream', read) }), stages: [] })

export interface StageOptions {
  /** Records in flight at once. @default 1 */
  concurrency?: number
}

export interface DedupeOptions {
  /** How many keys are remembered. @default 1_000_000 */
  last?: number
}

function proven<Fn>(stage: string, fn: Fn): Fn {
  if (typeof fn !== 'function')
    throw new UsageError(`.${stage}(): takes a function, not ${fn === null ? 'null' : typeof fn}`)
  return fn
}

function atOnce(stage: string, concurrency: number): number {
  if (!Number.isInteger(concurrency) || concurrency < 1)
    throw new UsageError(`.${stage}(): concurrency must be a whole number from 1, not ${concurrency}`)
  return concurrency
}
