// The records that come again with the next page of bySince(), because they have the value that it begins with.
import { PagingError } from '../../../model/errors.ts'

/** Hashes that a position holds at most. Beyond, rows with a key are read again, and others wait for a position. */
const MAX_STORED = 10_000
/** Hashes that are held in memory at most. */
const MAX_HELD = 1_000_000

/** Hash → times. Stored as JSON in the ledger. */
export type Times = Readonly<Record<string, number>>

/**
 * Records by the hash of their content, so that a record that has changed in the meantime is no known one. Without a
 * key, equal records are several: each one that was read is left out once.
 */
export class BorderRecords {
  readonly #isKeyless: boolean
  /** Times that a record was read. */
  readonly #known: Map<string, number>
  /** Times that it came since `startAgain`. */
  #met: Map<string, number>

  constructor(isKeyless: boolean, known: Times = {}, met: Times = {}) {
    this.#isKeyless = isKeyless
    this.#known = new Map(Object.entries(known))
    this.#met = new Map(Object.entries(met))
  }

  /** Returns true for a record that was read before, and otherwise remembers it. Call it for each record that comes. */
  take(hash: string): boolean {
    const times = (this.#met.get(hash) ?? 0) + 1
    const known = this.#known.get(hash) ?? 0
    this.#add(this.#met, hash, times)
    if (this.#isKeyless ? times <= known : known > 0) return true
    this.#add(this.#known, hash, times)
    return false
  }

  /** True if a record came since `startAgain`. */
  hasMet(hash: string): boolean {
    return this.#met.has(hash)
  }

  /** The records come from the first one again. */
  startAgain(): void {
    this.#met = new Map()
  }

  /**
   * True if equal records came more often in an earlier pass than in this one. Without a key, a record that was read
   * twice because the list moved cannot be told from two equal ones.
   */
  get mayBeDoubled(): boolean {
    return this.#isKeyless && this.#known.entries().some(([hash, times]) => times > 1 && times > this.#metTimes(hash))
  }

  /** What a position holds; undefined if it would be too large. */
  get stored(): { readonly known: Times; readonly met: Times } | undefined {
    if (this.#known.size <= MAX_STORED)
      return { known: Object.fromEntries(this.#known), met: Object.fromEntries(this.#met) }
    return this.#isKeyless ? undefined : { known: {}, met: {} }
  }

  #metTimes(hash: string): number {
    return this.#met.get(hash) ?? 0
  }

  #add(times: Map<string, number>, hash: string, count: number): void {
    if (times.size >= (this.#isKeyless ? MAX_HELD : MAX_STORED) && !times.has(hash)) {
      if (!this.#isKeyless) return
      throw new PagingError(
        `more than ${MAX_HELD} records have one value, so bySince() cannot tell which ones it has read. ` +
          'Give the table a key',
      )
    }
    times.set(hash, count)
  }
}
