// A reading of everything, in any order: a record that was not read yet may move to where all records were read. Pages
// that overlap do not show it, but the number of different keys does.
import type { ApiResponse } from '../../model/request.ts'
import { digest } from '../../value/digest.ts'
import { countOf, type CountedPaging } from '../paging/counted-pages.ts'
import { DifferentKeys } from '../paging/different-keys.ts'
import { pageSizeOf } from '../paging/page-size.ts'
import { statedRecords } from '../paging/stated-totals.ts'
import type { Fit } from './fit.ts'
import { RecordIdentity } from './record-identity.ts'

/** Keys that fit without another table. */
const FIRST_SIZE = 1_000
/** Times that the beginning of a list is read once more because of `look()`. */
const MAX_LOOKS = 3

/** Compares the different keys of all passes with the size of the list. */
export class FullReading {
  readonly #paging: CountedPaging
  readonly #fields: readonly string[]
  readonly #identity: RecordIdentity
  /** Undefined if a part of the keys is not known. */
  #keys: DifferentKeys | undefined
  /** Pages of this pass, but none behind a first one that is shorter than what was asked for. */
  #pages = 0
  #isOnlyPage = false
  /** The offset behind the last record. */
  #end = 0
  /** The size of the list at the end of the pass before. */
  #sizeBefore = 0
  #total: number | undefined
  /** Records that were deleted in this pass, as the total says: their keys may have been read. */
  #deleted = 0
  #digest = ''
  #lastDigest: string | undefined
  #looks = 0
  /** The keys of the first page of a pass, before the beginning is read once more. */
  #firstKeys: string | undefined
  #isLooking = false
  #isSame = false

  constructor(paging: CountedPaging, fields: readonly string[], { isResumed }: { readonly isResumed: boolean }) {
    this.#paging = paging
    this.#fields = fields
    this.#identity = new RecordIdentity(fields, undefined)
    if (!isResumed && fields.length > 0) this.#keys = new DifferentKeys(fields, FIRST_SIZE)
  }

  /** Call it for each page. */
  add({ records, listed, request }: Fit, response: ApiResponse<unknown>): void {
    this.#keys?.add(records)
    const keys = this.#isLooking || this.#firstKeys === undefined ? this.#digestOf(records) : this.#firstKeys
    this.#isSame = this.#isLooking && keys === this.#firstKeys
    this.#isLooking = false
    this.#firstKeys = keys
    const isFirst = this.#pages === 0
    if (isFirst || !this.#isOnlyPage) this.#pages++
    if (isFirst) this.#isOnlyPage = response.records.length < (pageSizeOf(request, this.#paging) ?? 0)
    // Also of records that all were read before: so many are in the list.
    if (response.records.length > 0) this.#end = countOf(request, this.#paging) - this.#paging.start + listed.length
    this.#digest = this.#digestOf(records, this.#digest)
  }

  /** Call it for each response, also for one that leads back: between two of them, the total shows what was deleted. */
  count(response: ApiResponse<unknown>): void {
    const total = statedRecords(this.#paging, response)?.count
    if (total === undefined) return
    this.#deleted += Math.max(0, (this.#total ?? total) - total)
    this.#total = total
  }

  /** True if records may have moved behind the back of this reading: one page alone shows all of its records. */
  get mayHide(): boolean {
    return this.#pages > 1 || this.#lastDigest !== undefined || this.#sizeBefore > 0
  }

  /** True if the beginning of the list was read once more, and has the keys that it had at first. */
  get isSame(): boolean {
    return this.#isSame
  }

  /**
   * True if so many different keys were read that none can be missing, by a stated total. Those of deleted records do
   * not count: others may have taken their places.
   */
  get isComplete(): boolean {
    return this.#total !== undefined && this.#missing === 0 && (this.#known ?? 0) >= this.#total + this.#deleted
  }

  /** What is missing, as a sentence. Undefined if nothing shows that something is. */
  get problem(): string | undefined {
    if (this.#needsLook && this.#looks >= MAX_LOOKS)
      return `the beginning of the list changed each of ${MAX_LOOKS} times that it was read, so records may be missing`
    // Two equal passes show that a key is in the list twice, and that nothing has moved.
    if (!this.#missing || this.#digest === this.#lastDigest) return undefined
    return (
      `${this.#keys?.count ?? 0} different keys of ${this.#end + this.#deleted} records were read: others moved to ` +
      'where the list had been read, or were deleted, so records may be missing'
    )
  }

  /** True if the API states more records than the list has, and than keys were read. */
  get isShort(): boolean {
    const total = this.#total ?? 0
    return total > this.#end && (this.#known ?? total) < total
  }

  /** True if a pass may end where it meets the records of the pass before. */
  get mayEndAtFront(): boolean {
    const count = this.#known
    return count === undefined || count >= this.#sizeBefore
  }

  /**
   * True if the beginning of the list has to be read once more at its end: without a total, nothing else shows a record
   * that has moved there while another one was deleted.
   */
  look(): boolean {
    const isNeeded = this.#needsLook && this.#looks < MAX_LOOKS
    if (isNeeded) this.#looks++
    this.#isLooking = isNeeded
    return isNeeded
  }

  /** Begins a pass. Returns true if it has to read the whole list, because the keys of deleted records were read. */
  beginPass(): boolean {
    const isWhole = this.#deleted > 0 && this.#keys !== undefined
    this.#sizeBefore = this.#size
    if (isWhole) {
      this.#keys = new DifferentKeys(this.#fields, FIRST_SIZE)
      this.#total = undefined
    }
    this.#lastDigest = this.#digest
    if (!this.#isLooking) this.#firstKeys = undefined
    this.#digest = ''
    this.#pages = 0
    this.#end = 0
    this.#deleted = 0
    return isWhole
  }

  #digestOf(records: readonly unknown[], before = ''): string {
    return digest(this.#fields.length === 0 ? records.length : this.#identity.textOf(records), before)
  }

  get #needsLook(): boolean {
    return this.#total === undefined && this.#keys !== undefined && this.#pages > 1
  }

  get #size(): number {
    return Math.max(this.#end, this.#total ?? 0)
  }

  get #known(): number | undefined {
    return this.#keys?.isUnique ? this.#keys.count : undefined
  }

  get #missing(): number | undefined {
    const count = this.#known
    return count === undefined ? undefined : Math.max(0, this.#end + this.#deleted - count)
  }
}
