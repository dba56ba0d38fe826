// Reads the child stream of one parent.
import type { MemoryAccount } from '../../flow/memory-account.ts'
import { SourceReader } from '../../flow/source-reader.ts'
import { PositionLostError, RejectError } from '../../model/errors.ts'
import type { Page, Position } from '../../model/page.ts'
import type { Recipe } from '../../model/recipe.ts'
import type { Scope } from '../../model/scope.ts'
import type { SliceRead } from '../../model/slice.ts'

/** Reads a recipe from a position on. `read/` provides it, because it is above this folder. */
export type ReadPages = (recipe: Recipe, slice: SliceRead, scope: Scope) => AsyncIterable<Page>

/**
 * Starts to read at once, and stops after its first page until its parent's turn comes. By then its source has sent the
 * request for the second page.
 */
export class ChildReader implements AsyncDisposable {
  readonly #open: (position: Position) => SourceReader<Page>
  readonly #mayRestart: boolean
  readonly #scope: Scope
  /** Gives up what may run for the position that is lost. */
  readonly #giveUp: () => Promise<void> | undefined
  #reader: SourceReader<Page>
  #firstPage: Promise<IteratorResult<Page, undefined>> | undefined
  #isNext = false
  #hasTurn = false
  #hasYielded = false
  /** Pages that are not released yet: readers of their children use memory below them. */
  #held = 0

  /** `parentMemory` is the account that holds the parent's page. */
  constructor(recipe: Recipe, slice: SliceRead, scope: Scope, parentMemory: MemoryAccount, read: ReadPages) {
    this.#scope = scope
    const memory = parentMemory.child(() => this.#isNext || this.#held > 0)
    // Above this child may be others that are read ahead.
    const hasTurn = (): boolean => this.#hasTurn && (slice.hasTurn?.() ?? true)
    this.#open = (position) =>
      new SourceReader(
        (signal) => read(recipe, { ...slice, position, hasTurn }, { ...scope, signal, memory }),
        scope.signal,
      )
    this.#giveUp = () => {
      const { position, onGivenUp } = slice
      return onGivenUp?.({ position, recipes: [recipe], haveParentsChanged: false, isStored: true })
    }
    this.#mayRestart = slice.position !== null && slice.restart === 'page'
    this.#reader = this.#open(slice.position)
    this.#firstPage = this.#reader.next()
    this.#firstPage.catch(() => {}) // `next` reports it.
  }

  /** Returns the next page. Call it only when all children before this one have been read. */
  async next(): Promise<IteratorResult<Page, undefined>> {
    this.#isNext = true
    this.#hasTurn = true
    this.#scope.memory.recheck()
    try {
      const step = this.#firstPage ?? this.#reader.next()
      this.#firstPage = undefined
      return this.#holdPage(await step)
    } catch (error) {
      if (this.#hasYielded || !this.#mayRestart || !(error instanceof PositionLostError)) throw error
      // Only this child's position is lost, and rows that are read again are merged: read the child from its start.
      await this.#reader.close()
      await this.#giveUp()
      this.#reader = this.#open(null)
      return this.#holdPage(await this.#reader.next())
    } finally {
      this.#isNext = false
    }
  }

  #holdPage(step: IteratorResult<Page, undefined>): IteratorResult<Page, undefined> {
    this.#hasYielded = true
    const hold = step.value?.hold
    if (step.done || !hold) return step
    this.#held++
    const counted = new DisposableStack()
    counted.defer(() => {
      this.#held--
      hold[Symbol.dispose]()
    })
    return { done: false, value: { ...step.value, hold: counted } }
  }

  /** True if the error means that no request could be made from the parent, so that only the parent is rejected. */
  isParentsFault(error: unknown): boolean {
    return !this.#hasYielded && error instanceof RejectError
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#firstPage?.then(
      (step) => step.value?.hold?.[Symbol.dispose](),
      () => {},
    )
    await this.#reader.close()
  }
}
