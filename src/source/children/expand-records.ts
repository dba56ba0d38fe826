// Calls the function of a `flatMap` on records, and replaces records by the lists that it returned.
import { mapConcurrent } from '../../flow/map-concurrent.ts'
import { addCounts, NO_READ_COUNTS } from '../../model/counts.ts'
import { RejectError } from '../../model/errors.ts'
import { rejectionReason } from '../../observe/rejection-reason.ts'
import type { Page, Reject } from '../../model/page.ts'
import type { Child, Recipe, Stage } from '../../model/recipe.ts'
import { defined } from '../../value/defined.ts'

export type FlatMap = Extract<Stage, { readonly type: 'flatMap' }>

/** The replacement of one record: a child stream, a list of records, or a reject. */
export type Expansion = ChildStream | ExpandedRecord
interface ChildStream {
  readonly type: 'child stream'
  readonly recipe: Recipe
}
export type ExpandedRecord =
  | { readonly type: 'list'; readonly list: readonly unknown[] }
  | { readonly type: 'rejected'; readonly reason: string }

/** Calls the function on the records from an index on. Nothing is awaited while it returns no promise. */
export async function expandRecords(
  records: readonly unknown[],
  from: number,
  { fn, concurrency }: FlatMap,
  signal: AbortSignal,
): Promise<Expansion[]> {
  const expansions: Expansion[] = []
  for (let index = from; index < records.length; index++) {
    const first = tryExpand(() => fn(records[index] as never, signal), signal)
    if (!(first instanceof Promise)) {
      expansions.push(first)
      continue
    }
    // The rest is called concurrently; the call of the first of them has been made.
    const call = (other: number, signal: AbortSignal): Expansion | Promise<Expansion> =>
      other === index ? first : tryExpand(() => fn(records[other] as never, signal), signal)
    const rest = Array.from({ length: records.length - index }, (_, offset) => index + offset)
    for await (const expansion of mapConcurrent(rest, call, { concurrency, signal })) expansions.push(expansion)
    return expansions
  }
  return expansions
}

function tryExpand(call: () => Child | Promise<Child>, signal: AbortSignal): Expansion | Promise<Expansion> {
  try {
    const child = call()
    return typeof child === 'object' && child !== null && 'then' in child
      ? child.then(expansionOf).catch((error: unknown) => rejection(error, signal))
      : expansionOf(child)
  } catch (error) {
    return rejection(error, signal)
  }
}

function expansionOf(child: Child): Expansion {
  if (Array.isArray(child)) return { type: 'list', list: child }
  if (typeof child === 'object' && child !== null) {
    if ('recipe' in child) return { type: 'child stream', recipe: child.recipe }
    if (Symbol.iterator in child) return { type: 'list', list: [...child] }
  }
  throw new RejectError('flatMap: the function must return a stream or a list of records')
}

/** Returns a reject for an error that was the record's fault, and throws any other error again. */
export function rejection(error: unknown, signal: AbortSignal): Extract<Expansion, { readonly type: 'rejected' }> {
  signal.throwIfAborted()
  const reason = rejectionReason(error)
  if (reason === undefined) throw error
  return { type: 'rejected', reason }
}

/**
 * Returns the page with each record replaced by its list. A list of n records adds n − 1 to `expanded`; an empty one
 * counts as filtered.
 */
export function expandedPage(page: Page, expansions: readonly ExpandedRecord[]): Page {
  const records: unknown[] = []
  const origins: unknown[] = []
  const rejects: Reject[] = []
  let expanded = 0
  let filtered = 0
  for (const [index, expansion] of expansions.entries()) {
    const origin = (page.origins ?? page.records)[index]
    if (expansion.type === 'rejected') {
      rejects.push({
        stage: 'flatMap',
        reason: expansion.reason,
        record: origin,
        ...defined({ parents: page.parents }),
      })
      continue
    }
    const { length } = expansion.list
    if (length === 0) filtered++
    else expanded += length - 1
    for (const record of expansion.list) {
      records.push(record)
      origins.push(origin)
    }
  }
  return {
    ...page,
    records,
    origins,
    rejects: [...page.rejects, ...rejects],
    counts: addCounts(page.counts, { ...NO_READ_COUNTS, expanded, filtered, rejected: rejects.length }),
  }
}
