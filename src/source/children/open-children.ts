// Counts the children whose readings are open, by reason, so that a million of them give one reason and not a million.
import { MAX_REASONS, worstOf, type Completeness } from '../../model/completeness.ts'
import type { Page } from '../../model/page.ts'
import { formatCount } from '../../value/format.ts'

/** Children with reasons of one kind. Stored in positions, so the names must stay the same in all versions. */
// A type, because JSON has no interfaces.
export type OpenKind = {
  /** The reason of the first one. */
  readonly reason: string
  readonly children: number
}

export class OpenChildren {
  /** By the reason without names of requests and without numbers. */
  readonly #kinds = new Map<string, OpenKind>()
  /** Kinds of the child that is being read. */
  readonly #ofChild = new Set<string>()
  #isChildOpen = false

  constructor(stored: readonly OpenKind[] = []) {
    for (const kind of stored) this.#kinds.set(kindOf(kind.reason), kind)
  }

  /** Returns the completeness of a child's page in its stream: without reasons, which `total` has at the end. */
  add({ completeness }: Page): Completeness | undefined {
    if (completeness?.grade !== 'open') return completeness
    this.#isChildOpen = true
    for (const reason of completeness.reasons) this.#count(reason)
    return { grade: 'open', reasons: [] }
  }

  /** Ends the pages of one child. */
  endChild(): void {
    if (this.#isChildOpen && this.#ofChild.size === 0) this.#count('records may be missing')
    this.#isChildOpen = false
    this.#ofChild.clear()
  }

  /** The kinds for a position, undefined if there are none. */
  get stored(): readonly OpenKind[] | undefined {
    return this.#kinds.size === 0 ? undefined : [...this.#kinds.values()]
  }

  /** Joins the completeness of the parents with that of all children that are open. */
  with(parents: Completeness | undefined): Completeness | undefined {
    if (this.#kinds.size === 0) return parents
    const reasons = [...this.#kinds.values()].map(({ reason, children }) =>
      children === 1 ? reason : `${formatCount(children, 'child', 'children')} may be incomplete, such as ${reason}`,
    )
    return worstOf(parents, { grade: 'open', reasons })
  }

  #count(reason: string): void {
    const found = kindOf(reason)
    // Of many kinds, the last one stands for the others.
    const isOneTooMany = !this.#kinds.has(found) && this.#kinds.size >= MAX_REASONS
    const kind = isOneTooMany ? ([...this.#kinds.keys()].at(-1) ?? found) : found
    if (this.#ofChild.has(kind)) return
    this.#ofChild.add(kind)
    const { reason: first, children } = this.#kinds.get(kind) ?? { reason, children: 0 }
    this.#kinds.set(kind, { reason: first, children: children + 1 })
  }
}

const kindOf = (reason: string): string => reason.replace(/^[A-Z]+ \S+: /, '').replaceAll(/\d[\d,.]*/g, '#')
