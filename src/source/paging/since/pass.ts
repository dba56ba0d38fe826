// One way through the records that all have one value, by the paginator within bySince().
import { PagingError } from '../../../model/errors.ts'
import { digest } from '../../../value/digest.ts'
import { NOTHING_READ, type ReadingState } from '../reading-state.ts'

/** Passes through one value. If no two in a row are equal, the reading is `open`. */
export const MAX_PASSES = 4
/** Pages in a row whose records all came before in the same pass. A list that moves has fewer of them. */
const MAX_REPEATED_PAGES = 10

/** Stored as JSON in the ledger, so the names of its members must stay the same in all versions. */
export interface StoredPass {
  readonly number: number
  readonly pages: number
  readonly repeated: number
  readonly digest: string
  readonly previous?: string
  readonly reading: ReadingState
}

/**
 * A record that leaves the list moves those behind it, and one of them may be skipped. Then this pass differs from the
 * next one, which lacks the record. So two equal passes in a row have skipped nothing.
 */
export class Pass {
  /** Counted from 1. */
  readonly number: number
  /** Digest of the pass before this one. */
  readonly previous: string | undefined
  /** What its pages have shown to the paginator. */
  reading: ReadingState
  #pages: number
  #repeated: number
  #digest: string

  constructor({
    number = 1,
    pages = 0,
    repeated = 0,
    digest: known = '',
    previous,
    reading,
  }: Partial<StoredPass> = {}) {
    this.number = number
    this.previous = previous
    this.reading = reading ?? NOTHING_READ
    this.#pages = pages
    this.#repeated = repeated
    this.#digest = known
  }

  /** Pages that were read. */
  get pages(): number {
    return this.#pages
  }

  /** Adds a page by the hashes of its records. Throws if the API seems to return the same pages again and again. */
  add(hashes: readonly string[], { isRepeated }: { readonly isRepeated: boolean }): void {
    this.#pages++
    this.#digest = digest(hashes, this.#digest)
    this.#repeated = isRepeated && hashes.length > 0 ? this.#repeated + 1 : 0
    if (this.#repeated < MAX_REPEATED_PAGES) return
    throw new PagingError(
      `${MAX_REPEATED_PAGES} pages in a row hold only records of pages before, so the API seems to ignore the ` +
        'paginator within bySince(). Correct its parameter',
    )
  }

  /** True if the pass before was equal. `first`: the first record of the page that ended this one. */
  isEqual(first: string | undefined): boolean {
    return this.previous === this.#end(first)
  }

  next(first: string | undefined): Pass {
    return new Pass({ number: this.number + 1, previous: this.#end(first) })
  }

  /** Undefined if nothing has to be stored. */
  get stored(): StoredPass | undefined {
    if (this.number === 1 && this.#pages === 0) return undefined
    return {
      number: this.number,
      pages: this.#pages,
      repeated: this.#repeated,
      digest: this.#digest,
      ...(this.previous !== undefined && { previous: this.previous }),
      reading: this.reading,
    }
  }

  #end(first: string | undefined): string {
    return digest(first ?? 'end', this.#digest)
  }
}
