// Calls the function of a `flatMap` on batches of records: each batch becomes one child stream.
import { openBecause, worstOf } from '../../model/completeness.ts'
import { UsageError } from '../../model/errors.ts'
import { isEnd, type Page } from '../../model/page.ts'
import type { Batching } from '../../model/recipe.ts'
import { defined } from '../../value/defined.ts'
import { formatCount } from '../../value/format.ts'
import { positioned } from '../page-position.ts'
import { rejection, type Expansion, type FlatMap } from './expand-records.ts'

/** Neighbouring parents of a page that became one child stream, or were rejected. */
export interface Members {
  readonly index: number
  readonly count: number
}
export interface ExpandedBatch extends Members {
  readonly expansion: Expansion
}

/**
 * Calls the function on the records from an index on. A batch has records of one page only, so that the position of
 * this page and the index of its first record say which records it has.
 */
export function expandBatches(
  records: readonly unknown[],
  from: number,
  { fn, batch }: Required<Pick<FlatMap, 'fn' | 'batch'>>,
  signal: AbortSignal,
): ExpandedBatch[] {
  const batches: ExpandedBatch[] = []
  for (let index = from; index < records.length; index += batch.size) {
    const members = records.slice(index, index + batch.size)
    batches.push({ index, count: members.length, expansion: expandBatch(members, fn, batch, signal) })
  }
  return batches
}

function expandBatch(
  members: readonly unknown[],
  fn: FlatMap['fn'],
  { expect }: Batching,
  signal: AbortSignal,
): Expansion {
  let child
  try {
    child = fn(members as never, signal)
  } catch (error) {
    return rejection(error, signal)
  }
  if (typeof child !== 'object' || child === null || !('recipe' in child))
    throw new UsageError('inBatches(): the function must return a stream, as api.get(…).pages(…).records() makes one')
  if (expect === 'each' && child.recipe.stages.some(({ type }) => type === 'flatMap'))
    throw new UsageError(
      "inBatches(): expect: 'each' counts the records of the batch, so its stream has no .flatMap. " +
        "Put .flatMap(…) behind the outer .flatMap(inBatches(…)), or remove expect: 'each'",
    )
  return { type: 'child stream', recipe: child.recipe }
}

/**
 * Checks that as many records come as the batch has. Only the last page keeps its position, because the number is not
 * known in the middle: an interrupted batch begins anew.
 */
export class EachRecord {
  readonly #count: number
  #read = 0

  constructor({ count }: Members) {
    this.#count = count
  }

  page(page: Page): Page {
    this.#read += page.counts.fetched
    if (!isEnd(page.position)) return positioned(page, undefined)
    if (this.#read >= this.#count) return page
    const reason =
      `${formatCount(this.#read, 'record', 'records')} came for a batch of ${this.#count}, ` +
      "and inBatches() expects one for each of them (expect: 'each'). Compare the ids in the request and the answer, " +
      "or remove expect: 'each' if a record may have none"
    return { ...page, ...defined({ completeness: worstOf(page.completeness, openBecause(reason)) }) }
  }
}
