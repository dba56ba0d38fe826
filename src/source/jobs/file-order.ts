// The order of the files of a job. A position counts files, so it holds only as long as their order is the same.
import { digest } from '../../value/digest.ts'

/** Digests of the names of files: in their order, and sorted. */
type Names = { readonly inOrder: string; readonly sorted: string }

/** By their whole URLs, and without parameters, which may be a signature. Stored as JSON in the ledger. */
export type FileOrder = readonly Names[]

/** Returns the order of several files, undefined for one. */
export function fileOrderOf(urls: readonly string[]): FileOrder | undefined {
  if (urls.length < 2) return undefined
  const paths = urls.map((url) => url.split(/[?#]/, 1)[0] ?? '')
  return [urls, paths].map((names) => ({ inOrder: digest(names), sorted: digest(names.toSorted()) }))
}

/**
 * Returns true if the files are known to be the same in another order. URLs that are others each time do not tell: then
 * their place in the list counts.
 */
export const isReordered = (before: FileOrder = [], now: FileOrder = []): boolean =>
  before.some(({ inOrder, sorted }, index) => now[index]?.sorted === sorted && now[index].inOrder !== inOrder)
