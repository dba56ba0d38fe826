import { UsageError } from '../model/errors.ts'
import type { Batching } from '../model/recipe.ts'
import { rejectUnknownOptions, type OptionNames } from '../model/unknown-option.ts'
import type { Stream } from './stream.ts'

/** A function that is called with batches of records: what `inBatches()` returns. */
export class Batches<T, U> {
  readonly fn: (records: readonly T[], signal: AbortSignal) => Stream<U>
  readonly batch: Batching

  constructor(fn: Batches<T, U>['fn'], batch: Batching) {
    this.fn = fn
    this.batch = Object.freeze(batch)
    Object.freeze(this)
  }
}

/**
 * For `.flatMap()`: asks an API for the children of up to `size` records by one request. The function gets a list of
 * neighbouring records of one page and returns one stream for all of them. If it throws, all of them are rejected.
 *
 * @example
 * orders.flatMap(
 *   inBatches(100, (batch) =>
 *     api.get<Item[]>('/items', { order_ids: batch.map(({ id }) => id).join(',') }).pages(byLinkHeader()).records(),
 *   ),
 * )
 */
export function inBatches<T, U>(
  size: number,
  fn: (records: readonly T[], signal: AbortSignal) => Stream<U>,
  options: BatchOptions = {},
): Batches<T, U> {
  rejectUnknownOptions('inBatches()', options, OPTIONS)
  const { expect } = options
  if (typeof fn !== 'function') throw new UsageError('inBatches(): give a function that returns a stream of the batch')
  if (!Number.isInteger(size) || size < 1)
    throw new UsageError(`inBatches(): the size must be a whole number from 1, not ${String(size)}`)
  if (expect !== undefined && expect !== 'each')
    throw new UsageError(`inBatches(): expect must be 'each', not ${JSON.stringify(expect)}`)
  return new Batches(fn, { size, ...(expect && { expect }) })
}

const OPTIONS: OptionNames<BatchOptions> = { expect: true }

/** Options of `inBatches()`. */
export interface BatchOptions {
  /**
   * `'each'`: the API returns at least one record for each record of a batch. If fewer come, the reading is `open`. An
   * interrupted batch then begins anew. @default a batch may have any number of records
   */
  expect?: 'each'
}
