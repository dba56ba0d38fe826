// The beginning of a list: a pass that reads what has moved there ends where it meets the pass before.
import { anchorsIn, type ListState } from './list-state.ts'
import { keyPart, type RecordIdentity } from './record-identity.ts'

/** Records at the beginning of the list that are known again in the next pass. */
const FIRST_RECORDS = 16

/** The first records of this pass and of the one before. */
export class ListFront {
  readonly #identity: RecordIdentity
  #first: string | undefined
  #front: readonly string[] | undefined
  #isMet = false

  constructor(identity: RecordIdentity, { first, front }: ListState) {
    this.#identity = identity
    this.#first = first
    this.#front = front === undefined ? undefined : anchorsIn(front)
  }

  /** True if this pass has come to what the one before has read. */
  get isMet(): boolean {
    return this.#isMet
  }

  get state(): { readonly first: string | undefined; readonly front: string | undefined } {
    return { first: this.#first, front: this.#front?.join('') }
  }

  /** Adds a page: its new records, and those with what was read before. */
  add(added: readonly unknown[], all: readonly unknown[], { isVolatile }: { readonly isVolatile: boolean }): void {
    this.#first ??= this.#identity.anchorsOf(added.slice(0, FIRST_RECORDS))
    if (!this.#front) return
    const part = isVolatile ? keyPart : (anchor: string): string => anchor
    const front = new Set(this.#front.map(part))
    if (all.some((record) => front.has(part(this.#identity.anchorOf(record))))) this.#isMet = true
  }

  /** Begins a pass, which ends at this front or reads the whole list. */
  beginPass({ isWhole }: { readonly isWhole: boolean }): void {
    this.#front = isWhole || this.#first === undefined ? undefined : anchorsIn(this.#first)
    this.#first = undefined
    this.#isMet = false
  }
}
