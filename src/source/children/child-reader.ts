import { SourceReader } from '../../flow/source-reader.ts'
import { PositionLostError, RejectError } from '../../model/errors.ts'
import type { Page, Position } from '../../model/page.ts'
import type { Recipe } from '../../model/recipe.ts'
import type { MemoryAccount } from '../../flow/memory-account.ts'
import type { Scope } from '../../model/scope.ts'
import type { SliceRead } from '../../model/slice.ts'
import { giveBackOnce } from '../hold.ts'

/** Reads a recipe from a position on; `define` knows how. */
export type ReadRecipe = (recipe: Recipe, reading: SliceRead, scope: Scope) => AsyncIterable<Page>

/**
 * The child under way for one parent. It begins to read when it is made and stops after its first page (whose successor
 * the source has sent for by then) until its turn has come.
 */
export class ChildReader implements AsyncDisposable {
  readonly #open: (position: Position) => SourceReader<Page>
  readonly #restart: boolean
  readonly #scope: Scope
  #pull: SourceReader<Page>
  #ahead: Promise<IteratorResult<Page, undefined>> | undefined
  #isNext = false
  #begun = false
  /** Pages that were handed on and not given back: others read below them. */
  #out = 0

  /** `above` is the account that holds the parent's page, below which it reads. */
  constructor(recipe: Recipe, reading: SliceRead, scope: Scope, above: MemoryAccount, read: ReadRecipe) {
    this.#scope = scope
    const memory = above.child(() => this.#isNext || this.#out > 0)
    this.#open = (position) =>
      new SourceReader((signal) => read(recipe, { ...reading, position }, { ...scope, signal, memory }), scope.signal)
    this.#restart = reading.position !== null && reading.restart === 'page'
    this.#pull = this.#open(reading.position)
    this.#ahead = this.#pull.next()
    this.#ahead.catch(() => {}) // Reported when its turn comes.
  }

  /**
   * Its next page, now that its turn has come; or a reason to reject its parent, from which no request could be made.
   */
  async next(): Promise<IteratorResult<Page, undefined>> {
    this.#isNext = true
    this.#scope.memory.recheck()
    try {
      const step = this.#ahead ?? this.#pull.next()
      this.#ahead = undefined
      return this.#handedOn(await step)
    } catch (error) {
      if (this.#begun || !this.#restart || !(error instanceof PositionLostError)) throw error
      // Only this child's position was forgotten: rows that are read again are merged.
      await this.#pull.close()
      this.#pull = this.#open(null)
      return this.#handedOn(await this.#pull.next())
    } finally {
      this.#isNext = false
    }
  }

  #handedOn(step: IteratorResult<Page, undefined>): IteratorResult<Page, undefined> {
    this.#begun = true
    const hold = step.value?.hold
    if (step.done || !hold) return step
    this.#out++
    const giveBack = (): void => {
      this.#out--
      hold[Symbol.dispose]()
    }
    return { done: false, value: { ...step.value, hold: giveBackOnce(giveBack) } }
  }

  /** Whether this failure says that no request could be made from the parent, which is then rejected alone. */
  isParentsFault(error: unknown): boolean {
    return !this.#begun && error instanceof RejectError
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ahead?.then(
      (step) => step.value?.hold?.[Symbol.dispose](),
      () => {},
    )
    await this.#pull.close()
  }
}
