// A page of parents while its children are read, and the positions inside it.
import { PositionLostError } from '../../model/errors.ts'
import { END, isEnd, type Page, type Position } from '../../model/page.ts'
import type { SliceRead } from '../../model/slice.ts'
import { ParentDigests, START, type ChildPosition } from './child-position.ts'
import type { FlatMap } from './expand-records.ts'
import type { OpenChildren } from './open-children.ts'

/** State that all pages of one reader share. */
export interface ParentsState {
  /** True once a record had a child stream. From then on these records count as parents. */
  hasChildStreams: boolean
  /** Children whose pages were yielded, and whose readings are open. */
  openChildren: OpenChildren
}

/** What a page of parents must know of its stage. */
type ParentsStage = Pick<FlatMap, 'download' | 'batch'>

export class ParentPage {
  readonly page: Page
  readonly #digests: ParentDigests
  /** The position from which the page can be read again, undefined if its source gave none. */
  readonly #readFrom: Position | undefined
  readonly #state: ParentsState
  readonly #batchSize: number | undefined

  constructor(page: Page, readFrom: Position | undefined, state: ParentsState, { download, batch }: ParentsStage) {
    this.page = page
    this.#digests = new ParentDigests(page, download?.at)
    this.#batchSize = batch?.size
    this.#readFrom = readFrom
    this.#state = state
  }

  /** The parents from an index on, as they were read, before any stage. */
  originsAt(index: number, count: number): readonly unknown[] {
    return (this.page.origins ?? this.page.records).slice(index, index + count)
  }

  /** What a record's lineage has for these parents: the parent, or the list of a batch. */
  ancestorAt(index: number, count: number): unknown {
    const origins = this.originsAt(index, count)
    return this.#batchSize === undefined ? origins[0] : origins
  }

  /**
   * Returns where in the page to start: at the stored position if the parents before it are the same, else at the first
   * parent. Throws if a slice must restart instead.
   */
  startFrom(stored: ChildPosition, restart: SliceRead['restart']): Pick<ChildPosition, 'done' | 'child'> {
    if (this.#digestUpTo(stored.done, stored.child) === stored.digest) return stored
    if (restart === 'page') return START
    throw new PositionLostError('the parents before the stored position have changed. Restarting from the beginning')
  }

  /** Returns the position after `done` parents, or inside the next one. */
  positionInside(done: number, child: Position = null): Position | undefined {
    if (this.#readFrom === undefined) return undefined
    return { at: this.#readFrom, done, digest: this.#digestUpTo(done, child) ?? '', child, ...this.#stateSoFar() }
  }

  /** Returns the position after the page. */
  positionBehind(): Position | undefined {
    const { position } = this.page
    if (position === undefined) return undefined
    return isEnd(position) ? END : { ...START, at: position, ...this.#stateSoFar() }
  }

  /**
   * Covers the parents of the child that is being read too. A batch has the same members only if the page still has as
   * many records behind its first one.
   */
  #digestUpTo(done: number, child: Position): string | undefined {
    if (child === null) return this.#digests.of(done)
    if (this.#batchSize === undefined) return this.#digests.of(done + 1)
    return this.#digests.of(Math.min(done + this.#batchSize, this.page.records.length))
  }

  #stateSoFar(): Pick<ChildPosition, 'apart' | 'open'> {
    const { hasChildStreams, openChildren } = this.#state
    const open = openChildren.stored
    return { ...(hasChildStreams && { apart: true }), ...(open && { open }) }
  }
}
