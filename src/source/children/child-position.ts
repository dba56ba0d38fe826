import { PositionLostError } from '../../model/errors.ts'
import type { Page, Position } from '../../model/page.ts'
import { digest } from '../../value/digest.ts'

/** Where to read on in a child stream: a path through its parents. */
export interface ChildPosition {
  /** The parents' own position, from which the page of parents is read again. */
  readonly at: Position
  /** Parents of that page whose children have all been read. */
  readonly done: number
  /** Of those parents and the one under way, in order: a page that has changed since is noticed. */
  readonly digest: string
  /** The position of the child under way; null is its start. */
  readonly child: Position
  /**
   * Some record before it had a stream of its own, so that records count as parents, pages without any left included.
   */
  readonly apart?: true
}

export const START: ChildPosition = Object.freeze({ at: null, done: 0, digest: '', child: null })

export function childPosition(position: Position): ChildPosition {
  if (position === null) return START
  const { at, done, digest, child, apart } = position as Partial<Record<keyof ChildPosition, Position>>
  if (at === undefined || typeof done !== 'number' || typeof digest !== 'string' || child === undefined) {
    throw new PositionLostError(
      'the stored position is none of a child stream: the definition has changed since, so the reading begins anew',
    )
  }
  return { at, done, digest, child, ...(apart === true && { apart }) }
}

/** Digests of the first n parents of a page, each made from the one before. */
export class ParentDigests {
  readonly #parents: readonly unknown[]
  readonly #known: string[] = ['']

  constructor({ records, origins }: Page) {
    this.#parents = origins ?? records
  }

  /** Of the first `count` parents; undefined where there are not so many. */
  of(count: number): string | undefined {
    if (count > this.#parents.length) return undefined
    for (let known = this.#known.length; known <= count; known++)
      this.#known.push(digest(this.#parents[known - 1], this.#known[known - 1]))
    return this.#known[count]
  }
}
