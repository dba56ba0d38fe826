// The requests of bySince(): the first page again, with another `since`.
import { UsageError } from '../../../model/errors.ts'
import { NO_SINCE } from '../../../model/since-problem.ts'
import type { PageRequest, Paging, Range, Request } from '../../../model/request.ts'
import type { Unit } from '../../cursor/bound-value.ts'
import { compareValues, type CursorValue } from '../../cursor/cursor-value.ts'
import { firstRequest } from '../../first-request.ts'

/**
 * Makes the request of the records from a value on. Its `since` may be coarser than the values, as `isoDate(since)` is,
 * so two values may have the same request.
 */
export class SinceRequests {
  readonly #template: Request
  readonly #paging: Paging<never>
  readonly #range: Range
  readonly #unit: Unit | undefined
  /** The last key, because neighbours often have the same value. */
  #last: { readonly text: string; readonly key: string } | undefined

  constructor(template: Request, paging: Paging<never>, range: Range, unit: Unit | undefined) {
    this.#template = template
    this.#paging = paging
    this.#range = range
    this.#unit = unit
  }

  /** Returns the request of the first page from a value on; without a value, from the start of the list on. */
  from(value: CursorValue | undefined): PageRequest {
    const since = value === undefined ? undefined : String(value.raw)
    return firstRequest(this.#template, this.#paging, { ...this.#range, since }, this.#unit)
  }

  /** True if both values are the same, or have the same request. */
  isSame(a: CursorValue, b: CursorValue): boolean {
    return compareValues(a, b) === 0 || this.#keyOf(a) === this.#keyOf(b)
  }

  /** True if a value is behind another one, and its request differs. */
  isBehind(a: CursorValue, b: CursorValue): boolean {
    return compareValues(a, b) > 0 && !this.isSame(a, b)
  }

  /** Throws if the request does not use `since`. */
  check(value: CursorValue): void {
    if (this.#keyOf(value) === this.#keyWithout()) throw new UsageError(NO_SINCE)
  }

  /** A function of the range may need `since`. Then it fails without it. */
  #keyWithout(): string | undefined {
    try {
      return JSON.stringify(this.from(undefined))
    } catch {
      return undefined
    }
  }

  #keyOf(value: CursorValue): string {
    const text = String(value.raw)
    if (this.#last?.text !== text) this.#last = { text, key: JSON.stringify(this.from(value)) }
    return this.#last.key
  }
}
