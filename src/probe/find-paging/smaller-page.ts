import type { Probing } from './probing.ts'
import { sizeNames } from './sizes.ts'

/** Names that are tried at most. */
const MAX_NAMES = 2

/**
 * Requests a smaller first page of a list that came as a whole. Returns it if the parameter works, else undefined. With
 * fewer than two records there is none.
 */
export async function smallerPage(first: Probing): Promise<Probing | undefined> {
  if (first.count < 2) return undefined
  const size = Math.max(1, Math.floor(first.count / 2))
  for (const name of sizeNames(first).slice(0, MAX_NAMES)) {
    if (first.left < 2) return undefined
    const { page, relation } = await first.ask({ [name]: size })
    if (relation.type !== 'from' || relation.index !== 0 || page.records.length !== size) continue
    return first.withPages(page, { [name]: String(size) }, name)
  }
  return undefined
}
