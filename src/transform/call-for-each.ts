// Calls a user's function once for each record of a page.
import { mapConcurrent } from '../flow/map-concurrent.ts'
import type { RejectStage } from '../model/page.ts'
import { rejectRecord, type MutablePage } from './mutable-page.ts'

export type RecordFunction = (record: never, signal: AbortSignal) => unknown

export interface CallOptions {
  /** The stage's name, for rejects. */
  readonly stage: RejectStage
  readonly concurrency: number
  /** @default true */
  readonly ordered?: boolean
  readonly signal: AbortSignal
}

/** The values that a function returned for the records of one page. */
export interface Results {
  readonly values: unknown[]
  /** The index of each value's record. Undefined if every record has its value, in order. */
  readonly indexes: number[] | undefined
}

/**
 * Calls a function for each record of a page, and rejects a record alone if the function throws on it. Nothing is
 * awaited while the function returns no promise. From its first promise on, `concurrency` calls run at the same time.
 */
export function callForEach(page: MutablePage, fn: RecordFunction, options: CallOptions): Results | Promise<Results> {
  const { records } = page
  const values: unknown[] = []
  let indexes: number[] | undefined
  for (let index = 0; index < records.length; index++) {
    try {
      const value = fn(records[index] as never, options.signal)
      if (isPromise(value)) {
        const done = { values, indexes: indexes ?? indexesOf(values) }
        return callForRest(page, fn, options, done, { index, promise: value })
      }
      values.push(value)
      indexes?.push(index)
    } catch (error) {
      indexes ??= indexesOf(values)
      rejectRecord(page, index, options.stage, error, options.signal)
    }
  }
  return { values, indexes }
}

type Outcome =
  | { readonly type: 'value'; readonly index: number; readonly value: unknown }
  | { readonly type: 'error'; readonly index: number; readonly error: unknown }

/** Continues from the record whose call returned the first promise. */
async function callForRest(
  page: MutablePage,
  fn: RecordFunction,
  { stage, concurrency, ordered = true, signal }: CallOptions,
  { values, indexes }: { values: unknown[]; indexes: number[] },
  first: { readonly index: number; readonly promise: PromiseLike<unknown> },
): Promise<Results> {
  const call = async (index: number, signal: AbortSignal): Promise<Outcome> => {
    try {
      const value = await (index === first.index ? first.promise : fn(page.records[index] as never, signal))
      return { type: 'value', index, value }
    } catch (error) {
      signal.throwIfAborted()
      return { type: 'error', index, error }
    }
  }
  const rest = Array.from({ length: page.records.length - first.index }, (_, offset) => first.index + offset)
  const failed: Extract<Outcome, { type: 'error' }>[] = []
  for await (const outcome of mapConcurrent(rest, call, { concurrency, ordered, signal })) {
    if (outcome.type === 'error') failed.push(outcome)
    else {
      values.push(outcome.value)
      indexes.push(outcome.index)
    }
  }
  for (const { index, error } of failed.toSorted((a, b) => a.index - b.index))
    rejectRecord(page, index, stage, error, signal)
  const isComplete = values.length === page.records.length && ordered
  return { values, indexes: isComplete ? undefined : indexes }
}

const indexesOf = (values: readonly unknown[]): number[] => values.map((_, index) => index)

export const isPromise = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
