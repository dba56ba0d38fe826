// One reading of a list that may move: how its pages are fitted together, and when it has to be read once more.
import { ListMovedError } from '../../model/errors.ts'
import type { ApiResponse, PageRequest } from '../../model/request.ts'
import { defined } from '../../value/defined.ts'
import { isCounted } from '../paging/counted-pages.ts'
import { mayLeadToCount } from '../paging/counted-place.ts'
import { FollowedPlaces } from './followed-places.ts'
import { FullReading } from './full-reading.ts'
import { LeadingRecords } from './leading-records.ts'
import { ListAnchors } from './list-anchors.ts'
import { ListFront } from './list-front.ts'
import { isWorthReading, listProblem, type PassEnd } from './list-problem.ts'
import type { ListState, MovingListOptions } from './list-state.ts'
import { MovementHints } from './movement-hints.ts'
import { newerThan } from './newer-than.ts'
import { whole, type Fit, type StepBack } from './fit.ts'
import { Overlap } from './overlap.ts'
import { RecordIdentity } from './record-identity.ts'
import { isOther, statedCounts } from './stated-counts.ts'

/** Passes through one list. */
export const MAX_PASSES = 3

/**
 * | pages have | and the list has moved | what follows |
 * |---|---|---|
 * | offsets that overlap | in a reading since a cursor | nothing: what was touched is newer than the cursor |
 * | offsets that overlap | in a reading of everything | the beginning of the list once more: records may be there |
 * | numbers, or offsets that cannot overlap, also in links | | the whole list once more |
 *
 * Where rows are appended without a key, once more means that the slice restarts.
 */
export class MovingList {
  readonly #identity: RecordIdentity
  readonly #anchors: ListAnchors
  readonly #overlap: Overlap | undefined
  /** Pages that responses lead to. */
  readonly #followed: FollowedPlaces | undefined
  /** Undefined once pages overlap, or are known to be found without counting. */
  #hints: MovementHints | undefined
  /** Those of the first page: the next one may show that pages cannot overlap. */
  #firstHints: MovementHints | undefined
  readonly #isKeyed: boolean
  readonly #isOffset: boolean
  readonly #isFull: boolean
  readonly #mayRestart: boolean
  #pass: number
  #pages: number
  readonly #front: ListFront
  /** For a reading of everything by offsets that overlap. */
  #full: FullReading | undefined
  #hasMoved: boolean
  #isInterrupted = false
  /** The position before an earlier interruption could not be checked. */
  readonly #wasInterrupted: boolean
  /** The position of an older version did not name the records before it. */
  #isUnverified = false
  /** After an interruption: true for a record that was touched since the reading began. */
  #newer: ((record: unknown) => boolean) | undefined
  #isLoose: boolean
  /** True if a page did not overlap with the one before it. */
  #isUnjoined = false
  /** A rule has left out a part of the list. */
  #hasGap = false
  readonly #leading: LeadingRecords
  #lastSize: number | undefined
  #reason: string | undefined
  #counts: ReadonlyMap<string, number>

  constructor({ paging, incremental, slice, stored: reading, start }: MovingListOptions) {
    const { list: stored = {}, largestPage, isPartial = false } = reading
    const { key, restart, position, pass = 1 } = slice
    const isResumed = position !== null
    if (stored.unsure) throw new ListMovedError()
    this.#isKeyed = restart === 'page'
    this.#isFull = incremental === undefined
    this.#pass = this.#isKeyed ? (stored.pass ?? 1) : pass
    // What was read before a stored position is not known, so nothing of it could be left out.
    this.#mayRestart = pass < MAX_PASSES || isResumed
    this.#isOffset = isCounted(paging) && paging.type === 'offset'
    this.#identity = new RecordIdentity(key ?? [], incremental?.at)
    this.#leading = new LeadingRecords(this.#identity)
    this.#anchors = new ListAnchors(this.#identity, stored.anchors)
    this.#front = new ListFront(this.#identity, stored)
    // Nobody has seen what happened to the list during an interruption.
    this.#hasMoved = stored.moved ?? isResumed
    this.#pages = isResumed ? 1 : 0
    this.#isLoose = stored.loose ?? false
    this.#isUnjoined = stored.unjoined ?? false
    this.#counts = new Map(Object.entries(stored.counts ?? {}))
    this.#wasInterrupted = stored.interrupted ?? false
    if (key === undefined && restart === 'page') return
    const again = { start, isKeyed: this.#isKeyed, mayRestart: this.#mayRestart }
    if (mayLeadToCount(paging)) this.#followed = new FollowedPlaces(paging, this.#anchors, again)
    else if (!isCounted(paging)) return
    this.#hints = new MovementHints(this.#identity, {
      hasKeys: key !== undefined && key.length > 0,
      hint: stored.hint,
      totals: this.#counts,
      isWhole: !isResumed,
      before: slice.passDigests,
    })
    this.#isInterrupted = isResumed || this.#wasInterrupted
    this.#isUnverified = isPartial
    if (isResumed) this.#newer = newerThan(slice.startedAt, incremental)
    if (isCounted(paging) && (paging.type === 'page' || paging.overlap !== false))
      this.#overlap = new Overlap(paging, this.#anchors, {
        isKeyed: this.#isKeyed,
        hasContent: incremental === undefined,
        largestPage,
        mayRestart: this.#mayRestart,
        stored,
      })
    if (this.#overlap && isCounted(paging) && this.#isOffset && this.#isFull)
      this.#full = new FullReading(paging, key ?? [], { isResumed })
  }

  /** True if each page was joined to the one before it by a record that both have. */
  get isAnchored(): boolean {
    if (!this.#isOffset || !this.#overlap || this.#isLoose || this.#hasGap) return false
    return !this.#hints || this.#pages < 2
  }

  /** What the keys of a reading of everything say, by offsets that overlap. */
  get full(): Pick<FullReading, 'mayHide' | 'isComplete'> | undefined {
    return this.#full
  }

  /** Undefined where pages are not to overlap. */
  get overlap(): Overlap | undefined {
    return this.#overlap
  }

  get hasMoved(): boolean {
    return this.#hasMoved || this.#pass > 1
  }

  /** Records of the last response, with those that were read before. */
  get lastSize(): number | undefined {
    return this.#lastSize
  }

  /** Why the reading is open, after its end. */
  get reason(): string | undefined {
    return this.#reason
  }

  /** True if this pass has come to what the one before has read. */
  get hasMetFront(): boolean {
    return this.#full?.isSame || (this.#front.isMet && this.#full?.mayEndAtFront !== false)
  }

  get state(): ListState | undefined {
    if ((!this.#overlap && !this.#hints) || this.#followed?.isCounting === false) return undefined
    return defined({
      anchors: this.#anchors.isEmpty ? undefined : this.#anchors.text,
      volatile: this.#overlap?.isVolatile || undefined,
      pass: this.#pass > 1 ? this.#pass : undefined,
      ...this.#front.state,
      moved: this.#hasMoved || undefined,
      interrupted: this.#isInterrupted || undefined,
      loose: this.#isLoose || undefined,
      unjoined: this.#isUnjoined || undefined,
      aligned: this.#overlap?.isAligned || undefined,
      ...this.#overlap?.keyless,
      hint: this.#hints?.hint,
      counts: this.#counts.size > 0 ? Object.fromEntries(this.#counts) : undefined,
    })
  }

  /** Returns the number of records that the next pages ask for twice. */
  overlapBefore(next: PageRequest): 0 | 1 {
    return this.#overlap?.overlapBefore(next) ?? 0
  }

  /** Call it for each request that a response has led to. */
  follow(next: PageRequest): void {
    this.#followed?.follow(next)
    if (this.#followed?.isCounting === false) this.#hints = undefined
  }

  /** Returns the request that is sent for the next part of the list. */
  before(next: PageRequest, options?: { readonly isResumed?: boolean }): PageRequest {
    if (this.#followed && options?.isResumed) {
      const request = this.#followed.resume(next)
      if (this.#followed.isCounting === false) this.#hints = undefined
      // Nothing of this pass was read before the interruption.
      if (this.#followed.isCounting === undefined) this.#isInterrupted = false
      return request
    }
    // Once all pages of offsets overlap, they show themselves whether the list has moved.
    if (this.#isOffset && this.#overlap)
      if (this.overlapBefore(next) === 0) this.#isUnjoined ||= !this.#anchors.isEmpty
      else if (!this.#isUnjoined) {
        this.#firstHints ??= this.#hints
        this.#hints = undefined
      }
    return this.#overlap?.before(next, options) ?? next
  }

  /** Returns what of a response continues the list. */
  fit(response: ApiResponse<unknown>, sent: PageRequest): Fit | StepBack {
    const { records } = response
    this.#lastSize = records.length
    this.#full?.count(response)
    const fit = this.#followed?.fitResumed(records, sent) ?? this.#overlap?.fit(records, sent) ?? whole(sent, records)
    if (fit.type === 'back') {
      this.#hasMoved ||= !fit.isProbe
      if (fit.isStart) this.#restart()
      return fit
    }
    this.#isUnjoined ||= this.#overlap?.isAligned === true
    if (this.#overlap?.isAligned) this.#hints ??= this.#firstHints
    if (!this.#overlap && !this.#hints) return fit
    this.#add(fit, response)
    if (this.#full?.isSame) return { ...fit, records: [] }
    const leavesOut = this.#hints !== undefined && !this.#isKeyed && !this.#mayRestart
    return leavesOut ? this.#leading.leaveOut(fit) : fit
  }

  /** Returns the part of the list that a rule leaves out. The pages beside it have no record in common. */
  skip(sent: PageRequest): Fit {
    this.#anchors.clear()
    this.#hasGap = true
    this.#full = undefined
    return { type: 'fit', request: sent, listed: [], records: [] }
  }

  /** Ends a pass. Throws a `ListMovedError` if the list has to be read again and rows would double. */
  end(): { readonly again: boolean } {
    const end = this.#passEnd()
    const problem = this.#followed?.isCounting === false ? undefined : listProblem(end)
    this.#reason = undefined
    if (problem !== undefined && !this.#isKeyed && this.#mayRestart) throw new ListMovedError(this.#hints?.passDigest)
    const isRepeated = this.#isKeyed && this.#pass < MAX_PASSES && isWorthReading(end)
    const again = problem === undefined ? !this.#hints && this.#full?.look() === true : isRepeated
    if (again && problem !== undefined) this.#pass++
    if (again) this.#restart()
    else this.#reason = problem
    return { again }
  }

  #add(fit: Fit, response: ApiResponse<unknown>): void {
    this.#pages++
    if (fit.isMoved) this.#hasMoved = true
    if (fit.isLoose) this.#isLoose = true
    const counts = statedCounts(response)
    if (this.#isFull && isOther(counts, this.#counts)) this.#hasMoved = true
    this.#counts = counts
    // The first page after an interruption is one that was read before it.
    this.#hints?.add(this.#isOffset ? fit.records : response.records, counts)
    this.#checkResumed(fit)
    if (this.#followed) this.#anchors.add(fit.records)
    this.#full?.add(fit, response)
    if (this.#isOffset && this.#isFull)
      this.#front.add(fit.records, response.records, { isVolatile: this.#overlap?.isVolatile === true })
  }

  /** What came before an interruption is forgotten, so its records are not seen to come twice. */
  #checkResumed(fit: Fit): void {
    if (!this.#hints || this.#isOffset) return
    if (fit.isVerified) this.#isInterrupted = this.#wasInterrupted
    else if (this.#isInterrupted && this.#overlap && !this.#isUnverified) {
      this.#isInterrupted = false
      if (fit.isMoved) this.#hints.note('it had moved when the reading resumed')
    } else if (this.#newer && fit.records.some(this.#newer)) {
      this.#hints.note('after an interruption, a record came that is newer than the reading')
    }
  }

  #passEnd(): PassEnd {
    return {
      pass: this.#pass,
      pages: this.#pages,
      isFull: this.#isFull,
      hasMoved: this.#hasMoved,
      hasMetFront: this.hasMetFront,
      isUnverified: this.#isUnverified,
      isPlain: this.#overlap?.isPlain === true,
      isLoose: this.#isLoose,
      isInterrupted: this.#isInterrupted,
      hints: this.#hints,
      full: this.#full,
    }
  }

  #restart(): void {
    this.#pages = 0
    this.#anchors.clear()
    this.#hints?.clear()
    this.#isUnjoined = false
    const isWhole = this.#full?.beginPass() === true
    this.#front.beginPass({ isWhole: isWhole || this.#hints !== undefined })
    this.#hasMoved = false
    this.#isInterrupted = false
    this.#newer = undefined
    this.#counts = new Map()
  }
}
