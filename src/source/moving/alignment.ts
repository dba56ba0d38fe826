// APIs that know only the offsets of whole pages: they round others down or up, or reject them.
import type { PageRequest } from '../../model/request.ts'
import { countOf, type CountedPaging } from '../paging/counted-pages.ts'
import { pageSizeOf } from '../paging/page-size.ts'
import { withParameter } from '../paging/parameter.ts'
import type { ListAnchors } from './list-anchors.ts'

/** Shorter pages are not looked at: those of a list that moves often look like the page before. */
const SHORTEST_PAGE = 3

/**
 * What the next request is to show.
 *
 * | the response is | next |
 * |---|---|
 * | the page before once more | `plain`: the offset behind that page |
 * | `plain`: none of the records that were read | `again`: the first of these requests |
 * | after a step back: the page before, so that the page with the overlap should have its last record | `overlapped` |
 * | `overlapped`: none of the records that were read | `again`: the step back |
 * | `again`: the page before once more | `plain again` |
 * | `plain again`: none of the records that were read | the API is aligned |
 * | `plain`: the page before once more, and shorter than what was asked for | `beyond`: the next whole page |
 * | `beyond`: empty | the API is aligned, and this is the end |
 *
 * A list that moves may look so once. It does not look so twice, with the other page in between.
 */
type Step = 'plain' | 'overlapped' | 'again' | 'plain again' | 'beyond'

export type Shown = 'aligned' | 'end' | { readonly send: PageRequest } | undefined

export interface OverlappedPage {
  readonly sent: PageRequest
  /** The request without the overlap. */
  readonly plain: PageRequest
  readonly largestPage: number
}

/** Finds out whether the pages of an API can overlap. */
export class Alignment {
  readonly #paging: CountedPaging
  readonly #anchors: ListAnchors
  #isAligned: boolean
  /** A page has begun with the last record before it. */
  #hasOverlapped = false
  #step: Step | undefined
  #first: PageRequest | undefined

  constructor(paging: CountedPaging, anchors: ListAnchors, isAligned: boolean) {
    this.#paging = paging
    this.#anchors = anchors
    this.#isAligned = isAligned
  }

  /** True if pages cannot overlap. */
  get isAligned(): boolean {
    return this.#isAligned
  }

  /** False once a page has begun with the last record before it. */
  get mayBeAligned(): boolean {
    return !this.#hasOverlapped
  }

  /** Call it when the API has rejected an offset within a page, and has accepted that of the next page. */
  reject(): void {
    this.#isAligned = true
  }

  /** Call it when a page has begun with the last record before it. */
  overlapped(): void {
    this.#hasOverlapped = true
  }

  /** True for a page that ends with the last record that was read. */
  isRepeated(records: readonly unknown[]): boolean {
    const last = records.at(-1)
    return last !== undefined && (this.#anchors.isLast(last) || this.#anchors.hasLastKey(last))
  }

  /** Tells what a page shows that should overlap, or which request would show more. */
  check(records: readonly unknown[], { sent, plain, largestPage }: OverlappedPage): Shown {
    if (this.#isAligned || this.#hasOverlapped) return undefined
    const step = this.#step
    this.#step = undefined
    const { length } = records
    const size = pageSizeOf(sent, this.#paging) ?? 0
    const isRepeated = length >= largestPage && length >= SHORTEST_PAGE && this.isRepeated(records)
    switch (step) {
      case undefined:
        this.#first = sent
        if (!isRepeated) return undefined
        if (this.#reaches(sent, plain, 1)) return this.#next('plain', plain)
        return this.#reaches(sent, plain, length) ? this.#next('overlapped', this.#overlapped(plain)) : undefined
      case 'overlapped':
        return this.#isOther(records) && this.#first ? this.#next('again', this.#first) : undefined
      case 'plain':
        if (isRepeated && length < size) return this.#next('beyond', this.wholePage(plain, size))
        return this.#isOther(records) && this.#first ? this.#next('again', this.#first) : undefined
      case 'again':
        return isRepeated ? this.#next('plain again', plain) : undefined
      case 'plain again':
        this.#isAligned = this.#isOther(records)
        return this.#isAligned ? 'aligned' : undefined
      case 'beyond':
        this.#isAligned = records.length === 0
        return this.#isAligned ? 'end' : undefined
    }
  }

  /** Returns the request for the first whole page from an offset on. */
  wholePage(request: PageRequest, size: number): PageRequest {
    const { start, parameter } = this.#paging
    const count = countOf(request, this.#paging) - start
    return withParameter(request, parameter, start + Math.ceil(count / size) * size)
  }

  /** True if so many records, from the offset of one request on, reach that of the other one. */
  #reaches(sent: PageRequest, plain: PageRequest, length: number): boolean {
    return countOf(sent, this.#paging) + length >= countOf(plain, this.#paging)
  }

  #overlapped(plain: PageRequest): PageRequest {
    return withParameter(plain, this.#paging.parameter, countOf(plain, this.#paging) - 1)
  }

  #next(step: Step, send: PageRequest): Shown {
    this.#step = step
    return { send }
  }

  #isOther(records: readonly unknown[]): boolean {
    return this.#anchors.find(records, { byKey: true }).every((age) => age === undefined)
  }
}
