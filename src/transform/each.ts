import { mapConcurrent } from '../flow/map-concurrent.ts'
import { reject } from './reject.ts'
import type { Working } from './working.ts'

export interface EachOptions {
  /** As rejects name it. */
  readonly stage: string
  readonly concurrency: number
  /** @default true */
  readonly ordered?: boolean
  readonly signal: AbortSignal
}

/** What a function answered for the records of one page, and for which of them. */
export interface Answers {
  readonly values: unknown[]
  /** The places of their records; undefined where every record has its answer, in order. */
  readonly places: number[] | undefined
}

/**
 * Call a user's function on each record of a page; a record on which it throws is rejected alone. As long as it answers
 * no promise, nothing is awaited. From its first promise on, `concurrency` records are in flight.
 */
export function each(
  page: Working,
  fn: (record: never, signal: AbortSignal) => unknown,
  options: EachOptions,
): Answers | Promise<Answers> {
  const { records } = page
  const values: unknown[] = []
  let places: number[] | undefined
  for (let place = 0; place < records.length; place++) {
    try {
      const value = fn(records[place] as never, options.signal)
      if (isPromise(value))
        return rest(page, fn, options, { values, places: places ?? values.map((_, index) => index) }, place, value)
      values.push(value)
      places?.push(place)
    } catch (error) {
      places ??= values.map((_, index) => index)
      reject(page, place, options.stage, error, options.signal)
    }
  }
  return { values, places }
}

async function rest(
  page: Working,
  fn: (record: never, signal: AbortSignal) => unknown,
  { stage, concurrency, ordered = true, signal }: EachOptions,
  { values, places }: { values: unknown[]; places: number[] },
  from: number,
  first: PromiseLike<unknown>,
): Promise<Answers> {
  const left = Array.from({ length: page.records.length - from }, (_, index) => from + index)
  const call = async (
    place: number,
    own: AbortSignal,
  ): Promise<{ place: number; value: unknown } | { place: number; error: unknown }> => {
    try {
      return { place, value: await (place === from ? first : fn(page.records[place] as never, own)) }
    } catch (error) {
      own.throwIfAborted()
      return { place, error }
    }
  }
  const failed: { place: number; error: unknown }[] = []
  for await (const answer of mapConcurrent(left, call, { concurrency, ordered, signal })) {
    if ('error' in answer) failed.push(answer)
    else {
      values.push(answer.value)
      places.push(answer.place)
    }
  }
  for (const { place, error } of failed.toSorted((a, b) => a.place - b.place)) reject(page, place, stage, error, signal)
  return { values, places: values.length === page.records.length && ordered ? undefined : places }
}

export const isPromise = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && typeof (value as { readonly then?: unknown }).then === 'function'
