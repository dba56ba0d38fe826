// Pages that overlap: each begins with the last record before it, so a list that has moved is noticed and nothing is
// skipped.
import { ListMovedError } from '../../model/errors.ts'
import type { PageRequest } from '../../model/request.ts'
import { countOf, type CountedPaging } from '../paging/counted-pages.ts'
import { pageSizeOf } from '../paging/page-size.ts'
import { withParameter } from '../paging/parameter.ts'
import { defined } from '../../value/defined.ts'
import { Alignment } from './alignment.ts'
import { whole, type Fit, type StepBack } from './fit.ts'
import { KeySet } from './key-set.ts'
import { KeylessRecords } from './keyless-records.ts'
import { CONTIGUOUS, type ListAnchors } from './list-anchors.ts'
import type { ListState, OverlapOptions } from './list-state.ts'
import { Volatility } from './volatility.ts'

/** Steps back that are allowed beside one for each page. */
const SPARE_STEPS = 16
/** Times that a reading may begin anew because no anchor is left. */
const MAX_STARTS = 4

/**
 * One page after the other, each fitted to the records before it.
 *
 * | the response begins with | what follows |
 * |---|---|
 * | the last record that was read | the records behind it |
 * | other records, and one that was read and not touched is among them | those that were not read |
 * | none of them | an earlier part of the list is requested: a page before, two, four, … to the start |
 *
 * Records that nobody touches keep their order. So all of them before any anchor have been read, wherever it is now.
 */
export class Overlap {
  readonly #paging: CountedPaging
  readonly #anchors: ListAnchors
  readonly #volatility: Volatility
  #isOverlapped = false
  /** The request without the overlap. */
  #next: PageRequest | undefined
  #largestPage: number
  #step = 0
  #stepsLeft = SPARE_STEPS
  /** The keys of the records that were read since the first step back. */
  #readSinceBack: KeySet | undefined
  /** The offset of a page that was empty though a record before it should have been on it. */
  #emptyAt: number | undefined
  readonly #alignment: Alignment
  /** Undefined with a key. */
  readonly #keyless: KeylessRecords | undefined
  /** Without a key, in the last pass: records differ in each response, so pages no longer overlap. */
  #isPlain = false
  /** The offset behind the last record that was read. */
  #end = 0

  constructor(paging: CountedPaging, anchors: ListAnchors, options: OverlapOptions) {
    this.#paging = paging
    this.#anchors = anchors
    this.#alignment = new Alignment(paging, anchors, options.stored.aligned ?? false)
    this.#volatility = new Volatility(paging, anchors, {
      isAsked: options.isKeyed && options.hasContent,
      isVolatile: options.stored.volatile ?? false,
    })
    this.#largestPage = options.largestPage
    this.#keyless = options.isKeyed ? undefined : new KeylessRecords(anchors, options)
  }

  /** True if records of equal keys had another content each time they were read. */
  get isVolatile(): boolean {
    return this.#volatility.isVolatile
  }

  /** True if the API knows only the offsets of whole pages, so that pages cannot overlap. */
  get isAligned(): boolean {
    return this.#alignment.isAligned
  }

  /** True if pages no longer overlap, because records without a key were not known again. */
  get isPlain(): boolean {
    return this.#isPlain
  }

  /** Returns a request without its overlap; undefined if it has none, or if pages have overlapped before. */
  withoutOverlap(sent: PageRequest): PageRequest | undefined {
    const next = this.#next
    if (!next || !this.#isOverlapped || !this.#alignment.mayBeAligned || this.#paging.type === 'page') return undefined
    return countOf(sent, this.#paging) === countOf(next, this.#paging) - 1 ? next : undefined
  }

  /** Call it when the API has rejected a request with its overlap, and has accepted it without. */
  align(): void {
    this.#alignment.reject()
    this.#isOverlapped = false
  }

  /** What the position keeps of records without a key. */
  get keyless(): Pick<ListState, 'mayCome' | 'unsure'> {
    return this.#keyless?.state ?? {}
  }

  /** Returns what the next request asks for twice: a record, or a page. */
  overlapBefore(next: PageRequest, { isResumed = false } = {}): 0 | 1 {
    if (this.isAligned || this.#isPlain || this.#anchors.isEmpty) return 0
    if (countOf(next, this.#paging) <= this.#paging.start) return 0
    if (this.#paging.type === 'page') return isResumed ? 1 : 0
    // A page of one record has no room for a second one.
    const size = this.#largestPage || pageSizeOf(next, this.#paging)
    return size === undefined || size > 1 ? 1 : 0
  }

  /** Returns the request to send. */
  before(next: PageRequest, options?: { readonly isResumed?: boolean }): PageRequest {
    this.#next = next
    const overlap = this.overlapBefore(next, options)
    this.#isOverlapped = overlap > 0
    return overlap === 0 ? next : this.#at(next, countOf(next, this.#paging) - overlap)
  }

  fit(records: readonly unknown[], sent: PageRequest): Fit | StepBack {
    this.#largestPage = Math.max(this.#largestPage, records.length)
    const found = this.#isOverlapped ? this.#fitOverlapped(records, sent) : this.#fitWhole(records, sent)
    if (found.type === 'back') return found
    const isJoined = this.#isOverlapped || this.#anchors.isEmpty
    const fit = this.#keyless?.fit(found, { isJoined }) ?? found
    this.#step = 0
    if (this.#isProgress(fit.records)) this.#stepsLeft++
    // New records before known ones have moved there, so the known ones stay the last that were read.
    this.#anchors.add(found.isMoved && !found.isStart && !found.isLoose ? this.#behindKnown(records) : found.records)
    this.#volatility.add(records, sent)
    return fit
  }

  #fitOverlapped(records: readonly unknown[], sent: PageRequest): Fit | StepBack {
    const isProbe = this.#volatility.isProbing
    if (this.#volatility.judge(records, sent)) return { type: 'fit', request: sent, listed: records, records: [] }
    const aligned = this.#fitAligned(records, sent)
    if (aligned) return aligned
    const place = this.#paging.type === 'page' ? records.length - 1 : 0
    if (records.length > 0 && this.#isLast(records[place])) {
      this.#alignment.overlapped()
      return this.#behind(records, sent, { prefix: place + 1, rest: records.slice(place + 1) })
    }
    // Empty again, and the anchor was found before it: the page has a hole.
    if (records.length === 0 && this.#emptyAt === countOf(sent, this.#paging)) return this.#loose(records, sent)
    // A probe after each probe would never end while the first record has the key of the last one that was read.
    const probed = isProbe ? undefined : this.#volatility.probe(records[0])
    if (probed !== undefined) return { type: 'back', request: this.#at(sent, probed), isProbe: true }
    return this.#fitMoved(records, sent)
  }

  /** Fits the page of an API that knows only whole pages, or requests one that shows whether it does. */
  #fitAligned(records: readonly unknown[], sent: PageRequest): Fit | StepBack | undefined {
    const plain = this.#next
    if (this.#paging.type === 'page' || !plain) return undefined
    const shown = this.#alignment.check(records, { sent, plain, largestPage: this.#largestPage })
    if (typeof shown === 'object') return { type: 'back', request: shown.send, isProbe: true }
    return shown && whole(shown === 'end' ? plain : sent, shown === 'end' ? [] : records)
  }

  /** Rounded down, the offset behind a short page leads to that page again. Then the next whole page is requested. */
  #fitWhole(records: readonly unknown[], sent: PageRequest): Fit | StepBack {
    const isShort = this.isAligned && records.length < this.#largestPage
    if (!isShort || !this.#alignment.isRepeated(records)) return whole(sent, records)
    const request = this.#alignment.wholePage(sent, this.#largestPage)
    return countOf(request, this.#paging) === countOf(sent, this.#paging)
      ? whole(sent, records)
      : { type: 'back', request, isProbe: true }
  }

  /**
   * True if a page brings records that were not read since the first step back. A list that is touched as fast as it is
   * read brings the same ones again and again: its reading must end.
   */
  #isProgress(records: readonly unknown[]): boolean {
    const seen = this.#readSinceBack
    if (!seen || seen.isFull) return records.length > 0 && !seen
    return records.filter((record) => seen.add(this.#anchors.keysOf([record]))).length > 0
  }

  #behindKnown(records: readonly unknown[]): readonly unknown[] {
    const ages = this.#anchors.find(records, { byKey: this.isVolatile })
    return records.slice(ages.findLastIndex((age) => age !== undefined) + 1)
  }

  /** Fits records of a list that has moved. */
  #fitMoved(records: readonly unknown[], sent: PageRequest): Fit | StepBack {
    const ages = this.#anchors.find(records, { byKey: this.isVolatile })
    const youngest = ages.reduce<number>((least, age) => Math.min(least, age ?? Infinity), Infinity)
    const last = ages.lastIndexOf(youngest)
    // Keys alone do not show a record that was touched and moved. Two that still follow each other do.
    const isSure = !this.isVolatile || (youngest === 0 && (last === 0 || ages[last - 1] === 1))
    if (youngest === Infinity || !isSure) return this.#stepBack(records, sent)
    if (this.#mayReadTwice) {
      const isNew = ages.map((age) => age === undefined)
      const prefix = isNew.includes(true) ? isNew.indexOf(true) : records.length
      return this.#behind(records, sent, { prefix, rest: records.filter((_, index) => isNew[index]), isMoved: true })
    }
    // Between an older anchor and the place there are records that were read and have no anchor.
    if (youngest >= CONTIGUOUS) throw new ListMovedError()
    this.#keyless?.goOnBefore(youngest)
    return this.#behind(records, sent, { prefix: last + 1, rest: records.slice(last + 1), isMoved: true })
  }

  #behind(
    records: readonly unknown[],
    sent: PageRequest,
    { prefix, rest, isMoved }: { readonly prefix: number; readonly rest: readonly unknown[]; readonly isMoved?: true },
  ): Fit {
    const moved = defined({ isMoved })
    if (this.#paging.type === 'page') return { type: 'fit', request: sent, listed: records, records: rest, ...moved }
    // A full page of known records is not the end. A short one that ends with the last record is as good as empty.
    const isShort = records.length < this.#largestPage && this.#isLast(records.at(-1))
    const isEmpty = rest.length === 0 && (records.length === 1 || isShort)
    const skipped = rest.length === 0 && !isEmpty ? prefix - 1 : prefix
    const request = this.#at(sent, countOf(sent, this.#paging) + skipped)
    return { type: 'fit', request, listed: records.slice(skipped), records: rest, ...moved }
  }

  #stepBack(records: readonly unknown[], sent: PageRequest): Fit | StepBack {
    const { start, type } = this.#paging
    const count = countOf(sent, this.#paging)
    if (this.#step > 0 && records.length > 0 && this.#keyless?.knowsNone(records)) return this.#goOnPlainly(sent)
    if (!this.#mayReadTwice && (this.#step > 0 || count <= start)) throw new ListMovedError()
    if (count <= start) {
      // No anchor is left, so everything is read again.
      this.#anchors.clear()
      this.#stepsLeft -= SPARE_STEPS / MAX_STARTS
      return { ...whole(sent, records), isStart: true, isMoved: true }
    }
    if (this.#stepsLeft <= 0) return this.#loose(records, sent)
    this.#stepsLeft--
    this.#readSinceBack ??= new KeySet()
    if (records.length === 0) this.#emptyAt = count
    if (this.#step === 0) this.#end = count + 1
    const size = type === 'page' ? 1 : Math.max(1, this.#largestPage - 1, (pageSizeOf(sent, this.#paging) ?? 1) - 1)
    this.#step = this.#step === 0 ? size : this.#step * 2
    return { type: 'back', request: this.#at(sent, Math.max(start, count - this.#step)) }
  }

  /** Returns to the place before the steps back. Records that always differ would be stored twice. */
  #goOnPlainly(sent: PageRequest): StepBack {
    this.#isPlain = true
    this.#keyless?.goOnPlainly()
    this.#isOverlapped = false
    return { type: 'back', request: this.#at(sent, this.#end) }
  }

  /** True if a record that comes twice does not double a row. */
  get #mayReadTwice(): boolean {
    return !this.#keyless || this.#keyless.leavesOut
  }

  #loose(records: readonly unknown[], sent: PageRequest): Fit {
    this.#anchors.clear()
    // The place of the record that was requested twice counts as read: else a last page of one record never ends.
    const twice = this.#isOverlapped && this.#paging.type === 'offset' && records.length > 0 ? 1 : 0
    const request = twice === 0 ? sent : this.#at(sent, countOf(sent, this.#paging) + twice)
    return { type: 'fit', request, listed: records.slice(twice), records, isLoose: true, isMoved: true }
  }

  #isLast(record: unknown): boolean {
    return this.isVolatile ? this.#anchors.hasLastKey(record) : this.#anchors.isLast(record)
  }

  #at(request: PageRequest, count: number): PageRequest {
    return withParameter(request, this.#paging.parameter, count)
  }
}
