import { UsageError } from '../model/errors.ts'
import type { At } from '../model/path.ts'
import type { Incremental, Order } from '../model/recipe.ts'
import type { Duration } from '../model/request.ts'
import { parseInstant } from '../value/instant.ts'
import { duration } from '../value/duration.ts'
import type { TimeColumn } from './table/time.ts'
import { checkValue } from './check-value.ts'
import { rejectRenamedWords } from './renamed-words.ts'
import { rejectUnknownOptions, type OptionNames } from '../model/unknown-option.ts'
import { defined } from '../value/defined.ts'

/** Values with an order that a cursor can follow. */
export type Comparable = string | number | bigint | Date
export type ValueAt<T, Where> = NonNullable<
  Where extends (record: never) => infer Value ? Value : Where extends string ? At<T, Where> : never
>

/** Options of `.incremental()`. Text and dates are times; a number is a time only if `unit` is given. */
export type IncrementalOptions<Value> = {
  /**
   * The order in which the API returns records. With an order, reading stops at the end of the range. @default 'any'
   */
  order?: Order
  /**
   * For a child stream: the list of each parent has its own cursor, which moves when this list was read completely.
   * @default false: one cursor for all children
   */
  perParent?: boolean
} & (Value extends number | bigint ? CountOptions | ClockOptions | FormOptions : TextOptions)
interface TextOptions extends TimeOptions {
  time?: TimeColumn
  /**
   * Says that a text that is no time and no number grows with each change of a record, as a version does. Without it, a
   * run and `check` warn of text that does not look so. @default false
   */
  grows?: boolean
}
interface TimeOptions {
  /** The cursor of the first run, such as `'2024-01-01'`. @default none: the first run reads everything */
  startFrom?: string
  /**
   * Each run starts this much before the cursor, for records that appear late. 0 turns it off. @default '1m' for times
   * of rows that are merged, else 0
   */
  lookback?: Duration | 0
  /**
   * The longest range that the API accepts in one request, such as `'30d'`. A run reads one such range after the other,
   * from `startFrom` or the cursor to now. Put `since` and `until` into the request. @default no limit
   */
  step?: Duration
  /**
   * Steps that are read at once, as far as no late rows of them are left to come. The cursor moves over those that are
   * done, up to the first one that is not. Needs `step`, and a table with a key and a version.
   * @default 1: one after the other
   */
  concurrency?: number
}
interface ClockOptions extends TimeOptions {
  /** The number counts seconds or milliseconds since 1970. */
  unit: 's' | 'ms'
}
interface FormOptions extends TimeOptions {
  /**
   * The form of the values, if they are times in another form than ISO 8601: `time('rfc 2822')`. The cursor is ISO 8601
   * then, and the field is stored as a time. @default ISO 8601
   */
  time: TimeColumn
}
interface CountOptions {
  unit?: undefined
  startFrom?: number | bigint
  lookback?: number
}

const OPTIONS: OptionNames<Omit<Incremental, 'at'>> = {
  time: true,
  startFrom: true,
  lookback: true,
  unit: true,
  order: true,
  step: true,
  concurrency: true,
  perParent: true,
  grows: true,
}

/** Returns the cursor of a recipe. Throws a UsageError for what the types cannot refuse. */
export function incrementalOf(
  at: Incremental['at'],
  {
    time: column,
    ...options
  }: Parameters<typeof checkedIncremental>[1] & { readonly time?: Pick<TimeColumn, 'time'> | undefined },
): Incremental {
  const checked = checkedIncremental(at, options)
  if (column === undefined) return checked
  const { unit, lookback, startFrom } = checked
  const place = `.incremental(${typeof at === 'string' ? JSON.stringify(at) : 'function'})`
  const { time } = column
  if (time === undefined)
    throw new UsageError(`${place}: time is what time() returns, as in { time: time('rfc 2822') }`)
  if (unit !== undefined) throw new UsageError(`${place}: give time or unit, not both: each says what the values are`)
  if (typeof lookback === 'number' && lookback !== 0)
    throw new UsageError(`${place}: with a time, lookback is a duration: write '5m'`)
  if (startFrom !== undefined && parseInstant(String(startFrom)) === undefined)
    throw new UsageError(`${place}: with a time, startFrom is a date: write '2024-01-31'`)
  return Object.freeze({ ...checked, time })
}

function checkedIncremental(
  at: Incremental['at'],
  options: {
    readonly [Name in Exclude<keyof Incremental, 'at' | 'perParent' | 'time' | 'grows'>]?: Incremental[Name] | undefined
  } & {
    readonly perParent?: boolean | undefined
    readonly grows?: boolean | undefined
  },
): Incremental {
  const { startFrom, lookback, unit, order, step, concurrency, perParent, grows } = options
  const place = `.incremental(${typeof at === 'string' ? JSON.stringify(at) : 'function'})`
  rejectRenamedWords(place, options, { from: 'startFrom' })
  rejectUnknownOptions(place, options, OPTIONS)
  if (at === '') throw new UsageError(`${place}: name the field that holds the time of a change`)
  if (typeof lookback === 'string') checkValue(`${place}: lookback`, () => duration(lookback))
  else if (lookback !== undefined && (!Number.isFinite(lookback) || lookback < 0))
    throw new UsageError(`${place}: lookback must be a number from 0, not ${lookback}`)
  if (unit !== undefined && !['s', 'ms'].includes(unit))
    throw new UsageError(`${place}: unit is 's' or 'ms', not ${JSON.stringify(unit)}`)
  if (unit !== undefined && typeof lookback === 'number' && lookback !== 0)
    throw new UsageError(`${place}: with a unit, lookback is a duration: write '5m'`)
  if (unit !== undefined && startFrom !== undefined && parseInstant(String(startFrom)) === undefined)
    throw new UsageError(`${place}: with a unit, startFrom is a date: write '2024-01-31'`)
  if (order !== undefined && !['ascending', 'descending', 'any'].includes(order))
    throw new UsageError(`${place}: order is 'ascending', 'descending' or 'any', not ${JSON.stringify(order)}`)
  if (step !== undefined) checkStep(place, step, options)
  if (concurrency !== undefined && (!Number.isInteger(concurrency) || concurrency < 1))
    throw new UsageError(`${place}: concurrency must be a whole number from 1, not ${concurrency}`)
  if (concurrency !== undefined && step === undefined)
    throw new UsageError(`${place}: concurrency reads several steps at once. Give a step, such as '30d'`)
  if (perParent !== undefined && typeof perParent !== 'boolean')
    throw new UsageError(`${place}: perParent is true or false, not ${JSON.stringify(perParent)}`)
  if (grows !== undefined && typeof grows !== 'boolean')
    throw new UsageError(`${place}: grows is true or false, not ${JSON.stringify(grows)}`)
  return Object.freeze({
    at,
    ...defined({ startFrom, lookback, unit, order, step, concurrency }),
    ...(perParent && { perParent }),
    ...(grows && { grows }),
  })
}

function checkStep(
  place: string,
  step: Duration,
  {
    startFrom,
    lookback,
  }: {
    readonly startFrom?: Incremental['startFrom'] | undefined
    readonly lookback?: Incremental['lookback'] | undefined
  },
): void {
  const ms = checkValue(`${place}: step`, () => duration(step))
  if (startFrom === undefined)
    throw new UsageError(`${place}: step needs startFrom, the beginning of the first range, such as '2024-01-01'`)
  if (typeof startFrom !== 'string')
    throw new UsageError(`${place}: step is for times, and startFrom is a number. Give a date, or remove the step`)
  if (typeof lookback === 'string' && duration(lookback) >= ms)
    throw new UsageError(`${place}: the lookback '${lookback}' is as long as the step '${step}'. Make the step longer`)
}
