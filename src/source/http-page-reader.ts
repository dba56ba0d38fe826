// Turns the response to one request into a page and the request for the next page.
import { ENDED, openBecause, worstOf, type Completeness } from '../model/completeness.ts'
import { DecodeError, HttpError, PagingError } from '../model/errors.ts'
import type { Page, Position } from '../model/page.ts'
import type { HttpSource } from '../model/recipe.ts'
import type { ApiResponse, PageRequest } from '../model/request.ts'
import { ruleText, type RuleData } from '../model/response-rule.ts'
import type { Secrets } from '../model/scope.ts'
import type { SliceRead } from '../model/slice.ts'
import { defined } from '../value/defined.ts'
import { checkFaults } from './body-faults.ts'
import { tokenOf } from './delta.ts'
import type { CursorFollower } from './cursor/follow-cursor.ts'
import type { PageErrors } from './graphql-errors.ts'
import { followedPage, type FollowedPage } from './followed-page.ts'
import { labelOf, sentText, shownUrl } from './label-of.ts'
import type { MovingList } from './moving/moving-list.ts'
import type { Fit, StepBack } from './moving/fit.ts'
import { announcementOf, countOf, isCounted } from './paging/counted-pages.ts'
import { DifferentKeys, MAX_KEYS } from './paging/different-keys.ts'
import { SeenEndpoint } from './paging/seen-endpoint.ts'
import { completenessOf } from './paging/grade.ts'
import { LoopGuard } from './paging/loop-guard.ts'
import { nextRequest } from './paging/next-request.ts'
import type { ReadingEnd } from './paging/reading-end.ts'
import { afterPage, checkEmptyPages, NOTHING_READ, type ReadingState } from './paging/reading-state.ts'
import type { HeldResponse } from './paging/request-prefetcher.ts'
import { requestAfterSkipped } from './paging/skipped-page.ts'
import type { SincePages } from './paging/since/since-pages.ts'
import { positionOf } from './position.ts'
import { selectRecords } from './select-records.ts'

export interface HttpPage {
  readonly page: Page
  /** Undefined after the last page. */
  readonly next: PageRequest | undefined
}

export interface HttpPageReaderOptions {
  readonly follower?: CursorFollower | undefined
  readonly secrets: Secrets
  /** What is known of the pages before the first one that is read here. */
  readonly state: ReadingState
  readonly slice: Pick<SliceRead, 'key' | 'endpoints' | 'since'>
  /** True for the children of one parent. */
  readonly isChild: boolean
  /** Called for each page, or child, that a rule leaves out. */
  readonly onSkip: (request: string, status: number, rule: RuleData) => void
  /** For `bySince()`. */
  readonly sincePages?: SincePages | undefined
  readonly list: MovingList
  /** The request with which each pass through the list begins. */
  readonly start: PageRequest
  readonly errors: PageErrors
}

export class HttpPageReader {
  readonly #source: HttpSource
  readonly #follower: CursorFollower | undefined
  readonly #secrets: Secrets
  readonly #list: MovingList
  readonly #start: PageRequest
  readonly #errors: PageErrors
  #guard = new LoopGuard()
  readonly #endpoint: SeenEndpoint
  readonly #keyFields: readonly string[]
  readonly #since: string | undefined
  readonly #sincePages: SincePages | undefined
  /** Undefined while no number of records is known that they could be compared with. */
  #keys: DifferentKeys | undefined
  readonly #isChild: boolean
  readonly #onSkip: HttpPageReaderOptions['onSkip']
  #state: ReadingState
  /** The end of the pass before. */
  #lastEnd: ReadingEnd | undefined
  #hasSteppedOver = false

  constructor(source: HttpSource, options: HttpPageReaderOptions) {
    const { follower, secrets, state, slice, isChild, onSkip, sincePages, list, start, errors } = options
    this.#isChild = isChild
    this.#onSkip = onSkip
    this.#list = list
    this.#start = start
    this.#errors = errors
    this.#source = source
    this.#follower = follower
    this.#secrets = secrets
    this.#state = state
    this.#endpoint = new SeenEndpoint(source.request, slice.endpoints)
    this.#keyFields = slice.key ?? []
    this.#since = slice.since
    this.#sincePages = sincePages
  }

  /** What is known after the pages that were read so far. */
  get state(): ReadingState {
    return this.#state
  }

  /** Returns what of a response continues the list. Releases the response if that is not known yet, or if it throws. */
  fit(response: HeldResponse, request: PageRequest): Fit | StepBack {
    return this.#releasing(response, request, () => {
      if (response.rule?.action === 'skip') return this.#list.skip(request)
      const isEmpty = response.rule !== undefined || response.status === 204
      const selected = isEmpty ? [] : (response.found ?? selectRecords(this.#source, response.body))
      const whole = this.#errors.recordsOf(response, selected)
      const records = response.faults ? checkFaults(response.faults, whole) : whole
      const fit = this.#list.fit({ ...response, records }, request)
      // An empty page that leads back shows too that the API does not ignore the parameter.
      if (isCounted(this.#source.paging) && (fit.type === 'fit' || records.length === 0)) {
        const compared = fit.type === 'back' || fit.listed.length === 0 ? [] : records
        this.#guard.compare(compared, this.#source.paging, request, { mayMove: this.#list.overlap !== undefined })
      }
      if (fit.type === 'back') response.hold[Symbol.dispose]()
      if (fit.type === 'back' && fit.isStart) this.#state = NOTHING_READ
      if (fit.type === 'back' || fit.isMoved) {
        this.#guard = this.#guard.withoutRequests()
        this.#follower?.readAgain()
      }
      return fit
    })
  }

  /** Call it for each part of the list once, in order. Releases the response if it throws. */
  read(response: HeldResponse, fit: Fit): HttpPage {
    return this.#releasing(response, fit.request, () => this.#read(response, fit))
  }

  #releasing<Result>(response: HeldResponse, request: PageRequest, work: () => Result): Result {
    try {
      return work()
    } catch (error) {
      response.hold[Symbol.dispose]()
      const label = labelOf(request)
      if (
        (error instanceof DecodeError || error instanceof PagingError || error instanceof HttpError) &&
        !error.message.startsWith(`${label} `)
      )
        error.message = this.#secrets.hide(`${label}: ${error.message}${sentText(error, request)}`)
      throw error
    }
  }

  #read(held: HeldResponse, { request, records, listed }: Fit): HttpPage {
    const { paging } = this.#source
    const { rule, hold, memory } = held
    this.#guard.add(request)
    const sincePage = rule ? undefined : this.#sincePages?.read({ ...held, records }, request)
    const response = { ...held, records: sincePage?.records ?? listed }
    const isStart = this.#state.pages === 0 && !this.#state.isPartial
    const { page, hasEnded } = followedPage(sincePage?.records ?? records, this.#follower)
    this.#state = afterPage(this.#state, paging, response, {
      hasCursor: this.#follower?.hasMetField === true,
      isUnordered: this.#follower?.isUnordered === true,
      read: page.counts.fetched,
      size: sincePage ? undefined : this.#list.lastSize,
    })
    if (this.#sincePages) this.#state = { ...this.#state, ...defined({ since: this.#sincePages.state }) }
    if (rule?.action === 'skip') return this.#skip(response, request, { rule, page, isStart })
    this.#countKeys(sincePage?.records ?? records)
    const ofPaginator = (): PageRequest | undefined => (sincePage ? sincePage.next : this.#next(response, request))
    let next = rule || hasEnded || this.#list.hasMetFront ? undefined : ofPaginator()
    this.#endpoint.add(response.records.length, { hasWayOn: next !== undefined })
    const stop = hasEnded ? 'order' : 'paginator'
    const end: ReadingEnd = { paging, request, response, state: this.#state, stop: rule ? 'rule' : stop }
    let completeness: Completeness | undefined
    const wasEnd = next === undefined
    if (next) this.#list.follow(next)
    if (next) completeness = this.#stepOver(response, request, next)
    else if ((next = this.#nextPass()) === undefined) completeness = this.#end(this.#endOfList(end))
    if (next && wasEnd) this.#lastEnd = end
    this.#state = { ...this.#state, ...defined({ list: this.#list.state }) }
    const { token, problem } = next ? {} : tokenOf(this.#source, response, this.#since)
    for (const reason of [problem, this.#errors.reason])
      if (reason !== undefined) completeness = worstOf(completeness, openBecause(this.#placed(reason, request)))
    return {
      page: {
        ...page,
        ...(token && { highWaterMark: this.#secrets.hide(token) }),
        ...defined({ position: this.#position(next), completeness }),
        url: this.#secrets.hide(shownUrl(held)),
        hold,
        memory,
      },
      next,
    }
  }

  /** Returns the empty page for one that a rule leaves out. For a child whose first page it is, the child ends. */
  #skip(
    response: HeldResponse & { readonly records: readonly unknown[] },
    request: PageRequest,
    {
      rule,
      page,
      isStart,
    }: { readonly rule: RuleData; readonly page: FollowedPage['page']; readonly isStart: boolean },
  ): HttpPage {
    const { paging } = this.#source
    const { status, hold, memory } = response
    const isWholeChild = this.#isChild && isStart
    const next = isWholeChild ? undefined : requestAfterSkipped(paging, request, this.#state)
    if (next) this.#guard.check(next)
    this.#onSkip(this.#secrets.hide(labelOf(request)), status, rule)
    const reason =
      `a rule left out the response with status ${status} (${ruleText(rule)}), so its records are missing. ` +
      'If the reading is complete without them, add expected: true to the rule'
    const ofRule = rule.expected ? undefined : openBecause(this.#placed(reason, request))
    const end = { paging, request, response, state: this.#state, stop: 'paginator' } as const
    const ofEnd = next || !isCounted(paging) || isWholeChild ? undefined : this.#end(end)
    const completeness = worstOf(ofRule, ofEnd) ?? (next ? undefined : ENDED)
    this.#state = { ...this.#state, ...defined({ list: this.#list.state }) }
    const position = this.#secrets.hide(positionOf(next, this.#state))
    return { page: { ...page, position, ...defined({ completeness }), hold, memory }, next }
  }

  /** Returns the request for the next page. Throws if the pages go in a circle. */
  #next(response: ApiResponse<unknown>, request: PageRequest): PageRequest | undefined {
    const { paging } = this.#source
    const next = nextRequest(paging, response, request, this.#state)
    if (!next) return undefined
    checkEmptyPages(this.#state, paging)
    this.#guard.check(next)
    return next
  }

  /** Undefined if no position can hold what must be known. */
  #position(next: PageRequest | undefined): Position | undefined {
    if (next && this.#sincePages && !this.#sincePages.state) return undefined
    return this.#secrets.hide(positionOf(next, this.#state))
  }

  /** Returns the first request of another pass through the list, undefined if there is none. */
  #nextPass(): PageRequest | undefined {
    const { isAnchored } = this.#list
    const { again } = this.#list.end()
    if (!again) return undefined
    this.#guard = new LoopGuard()
    this.#follower?.readAgain()
    this.#keys = undefined
    if (!isAnchored) this.#state = NOTHING_READ
    return this.#start
  }

  /** Counts the keys of a reading from its first page on, if the API states the number of its records. */
  #countKeys(records: readonly unknown[]): void {
    const { pages, lastCount, isPartial } = this.#state
    const isFirst = pages === 1 && !isPartial
    if (isFirst && this.#keyFields.length > 0 && lastCount !== undefined && lastCount <= MAX_KEYS)
      this.#keys = new DifferentKeys(this.#keyFields, lastCount)
    this.#keys?.add(records)
  }

  /** A pass that ends where it meets the one before has come to no end of the list: the one before has. */
  #endOfList(end: ReadingEnd): ReadingEnd {
    return this.#list.hasMetFront && this.#lastEnd ? { ...this.#lastEnd, state: end.state } : end
  }

  #end(end: ReadingEnd): Completeness | undefined {
    const { hasWayOn: isWayOnKnown, largestPage } = this.#endpoint
    const ofPages = this.#sincePages?.completeness
    const atEnd = completenessOf({
      ...end,
      isWayOnKnown,
      largestPage,
      differentKeys: this.#keys?.isUnique ? this.#keys.count : undefined,
      isAnchored: ofPages?.grade === 'counted' || this.#list.isAnchored,
      mayHide: this.#list.full?.mayHide === true,
      isComplete: this.#list.full?.isComplete === true,
      hasMoved: this.#list.hasMoved,
    })
    const whole = [this.#cursorProblem(end), this.#list.reason]
      .filter((reason) => reason !== undefined)
      .reduce<Completeness | undefined>((worst, reason) => worstOf(worst, openBecause(reason)), worstOf(ofPages, atEnd))
    return whole && { ...whole, reasons: whole.reasons.map((reason) => this.#placed(reason, end.request)) }
  }

  #cursorProblem({ stop }: ReadingEnd): string | undefined {
    const { hasCursor, isUnordered, records } = this.#state
    if (stop === 'order' && isUnordered) return this.#follower?.orderProblem
    return hasCursor ? undefined : this.#follower?.fieldMissing(records)
  }

  /** An offset that steps over an empty page may leave out records. Says so once. */
  #stepOver(response: ApiResponse<unknown>, request: PageRequest, next: PageRequest): Completeness | undefined {
    const { paging } = this.#source
    if (response.records.length > 0 || this.#hasSteppedOver) return undefined
    if (typeof paging === 'function' || paging.type !== 'offset') return undefined
    this.#hasSteppedOver = true
    const reason =
      `the page at offset ${countOf(request, paging)} is empty, although ` +
      `${announcementOf(paging, this.#state.total)}. The reading continued at offset ${countOf(next, paging)}, so ` +
      'records between the two may be missing'
    return openBecause(this.#placed(reason, request))
  }

  #placed(reason: string, request: PageRequest): string {
    return this.#secrets.hide(`${labelOf(request)}: ${reason}`)
  }
}
