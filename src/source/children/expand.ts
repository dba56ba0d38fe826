import { mapConcurrent } from '../../flow/map-concurrent.ts'
import { RejectError, rejectionOf } from '../../model/errors.ts'
import type { Page, ReadCounts, Reject } from '../../model/page.ts'
import type { Child, Recipe, Stage } from '../../model/recipe.ts'
import { NO_READ_COUNTS } from '../../model/counts.ts'

type FlatMap = Extract<Stage, { readonly type: 'flatMap' }>

/** What stands for one record: a stream of its own, several records, or the reason why it was rejected. */
export type Expansion =
  | { readonly recipe: Recipe }
  | { readonly list: readonly unknown[] }
  | { readonly reason: string }

/** Call the function on records of a page, from a place on. As long as it answers no promise, nothing is awaited. */
export async function expandRecords(
  records: readonly unknown[],
  from: number,
  { fn, concurrency }: FlatMap,
  signal: AbortSignal,
): Promise<Expansion[]> {
  const made: Expansion[] = []
  for (let place = from; place < records.length; place++) {
    const one = tried(() => fn(records[place] as never, signal), signal)
    if (!(one instanceof Promise)) {
      made.push(one)
      continue
    }
    const call = (other: number, own: AbortSignal): Expansion | Promise<Expansion> =>
      other === place ? one : tried(() => fn(records[other] as never, own), own)
    const rest = Array.from({ length: records.length - place }, (_, index) => place + index)
    for await (const answer of mapConcurrent(rest, call, { concurrency, signal })) made.push(answer)
    return made
  }
  return made
}

function tried(call: () => Child | Promise<Child>, signal: AbortSignal): Expansion | Promise<Expansion> {
  try {
    const answer = call()
    return typeof answer === 'object' && answer !== null && 'then' in answer
      ? answer.then(kindOf).catch((error: unknown) => rejected(error, signal))
      : kindOf(answer)
  } catch (error) {
    return rejected(error, signal)
  }
}

function kindOf(answer: Child): Expansion {
  if (Array.isArray(answer)) return { list: answer }
  if (typeof answer === 'object' && answer !== null) {
    if ('recipe' in answer) return { recipe: answer.recipe }
    if (Symbol.iterator in answer) return { list: [...answer] }
  }
  throw new RejectError('flatMap: the function must answer a stream, or a list of records')
}

/** The reason, where it was the record's fault. */
export function rejected(error: unknown, signal: AbortSignal): { readonly reason: string } {
  signal.throwIfAborted()
  const reason = rejectionOf(error)
  if (reason === undefined) throw error
  return { reason }
}

/**
 * A page for each of whose records several others stand: n − 1 are expanded, and where there is none, the record was
 * filtered.
 */
export function expandedPage(
  page: Page,
  made: readonly Exclude<Expansion, { readonly recipe: Recipe }>[],
): Pick<Page, 'records' | 'origins' | 'counts' | 'rejects'> {
  const records: unknown[] = []
  const origins: unknown[] = []
  const rejects: Reject[] = []
  const counts = { expanded: 0, filtered: 0 }
  for (const [place, one] of made.entries()) {
    const origin = (page.origins ?? page.records)[place]
    if ('reason' in one) rejects.push(rejectOf(one.reason, origin, page))
    else {
      const { length } = one.list
      if (length === 0) counts.filtered++
      else counts.expanded += length - 1
      for (const record of one.list) {
        records.push(record)
        origins.push(origin)
      }
    }
  }
  return {
    records,
    origins,
    rejects: [...page.rejects, ...rejects],
    counts: addCounts(page.counts, { ...counts, rejected: rejects.length }),
  }
}

export const rejectOf = (reason: string, record: unknown, { parents }: Pick<Page, 'parents'>): Reject => ({
  stage: 'flatMap',
  reason,
  record,
  ...(parents && { parents }),
})

export const addCounts = (counts: ReadCounts, more: Partial<ReadCounts>): ReadCounts =>
  Object.fromEntries(
    Object.entries(NO_READ_COUNTS).map(([name]) => [
      name,
      counts[name as keyof ReadCounts] + (more[name as keyof ReadCounts] ?? 0),
    ]),
  ) as unknown as ReadCounts
