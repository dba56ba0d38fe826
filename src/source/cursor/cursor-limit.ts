// The highest value that a cursor may take: the second in which the slice was started.
import type { Incremental } from '../../model/recipe.ts'
import { timeLike } from './cursor-text.ts'
import { compareValues, rangeValue, type CursorValue } from './cursor-value.ts'

/**
 * Without a limit, one record dated 2099 would move the cursor there, and the stream would read nothing for years. The
 * limit is a whole second, so it is the same in every format and on every page of a slice. The hashes of newer records
 * belong to exactly this value. A stored cursor beyond it is the limit itself, because a cursor never goes back.
 */
export class CursorLimit {
  readonly #second: Date
  readonly #unit: Incremental['unit']
  /** The limit for times in text, and for numbers that have a unit. */
  readonly #instant: CursorValue
  readonly #number: CursorValue | undefined
  /** The stored cursor, if it is beyond the limit. */
  readonly #stored: CursorValue | undefined

  constructor(startedAt: Date, unit: Incremental['unit'], stored: CursorValue | undefined) {
    this.#second = new Date(Math.floor(startedAt.getTime() / 1_000) * 1_000)
    this.#unit = unit
    this.#instant = rangeValue(this.#second.toISOString())
    const number = timeLike('0', this.#second, unit)
    this.#number = number === undefined ? undefined : rangeValue(number)
    if (stored && this.isBefore(stored)) this.#stored = stored
  }

  /** True if a value is beyond the limit. */
  isBefore(value: CursorValue): boolean {
    const limit = this.#stored ?? this.#limitFor(value)
    return limit !== undefined && compareValues(value, limit) > 0
  }

  /** Returns the limit in the format of a value. */
  textLike(text: string): string {
    if (this.#stored) return String(this.#stored.raw)
    return timeLike(text, this.#second, this.#unit) ?? String(this.#number?.raw ?? text)
  }

  #limitFor({ kind }: CursorValue): CursorValue | undefined {
    if (kind === 'instant') return this.#instant
    return kind === 'number' ? this.#number : undefined
  }
}
