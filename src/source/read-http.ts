// The pages of an HTTP source: one request after another, from a position to the end.
import { isDeepStrictEqual } from 'node:util'
import { HttpError, PositionLostError, UsageError } from '../model/errors.ts'
import { isEnd, type Page } from '../model/page.ts'
import type { HttpSource, Incremental } from '../model/recipe.ts'
import type { PageRequest, Paging } from '../model/request.ts'
import type { RuleData } from '../model/response-rule.ts'
import type { Scope } from '../model/scope.ts'
import { sinceProblem } from '../model/since-problem.ts'
import type { SliceRead } from '../model/slice.ts'
import { defined } from '../value/defined.ts'
import { CursorFollower } from './cursor/follow-cursor.ts'
import { rangeOf } from './cursor/range.ts'
import { requestSince } from './delta.ts'
import { firstRequest } from './first-request.ts'
import { MovingList } from './moving/moving-list.ts'
import { givenPage } from './given-page.ts'
import { PageErrors } from './graphql-errors.ts'
import { ifChangedSince } from './if-changed.ts'
import { HttpPageReader, type HttpPage } from './http-page-reader.ts'
import { labelOf } from './label-of.ts'
import { isCounted, pagesLeft, requestsAhead } from './paging/counted-pages.ts'
import { pagesToLast } from './paging/link-header.ts'
import { isSince, SincePages, type SinceOptions } from './paging/since/since-pages.ts'
import { RequestPrefetcher, type HeldResponse } from './paging/request-prefetcher.ts'
import { NOTHING_READ, readingAt, type ReadingState } from './paging/reading-state.ts'
import { readParts } from './body/read-parts.ts'
import { bodyPositionAt, requestAt } from './position.ts'
import { takePage } from './take-page.ts'

export interface ReadHttpOptions {
  /** True for the children of one parent. @default false */
  readonly isChild?: boolean
  /** Called with the number of pages, if the first page tells it. */
  readonly onTotal?: ((pages: number) => void) | undefined
}

/** Requests the next page before it yields one. */
export async function* readHttp(
  source: HttpSource,
  incremental: Incremental | undefined,
  slice: SliceRead,
  scope: Scope,
  { isChild = false, onTotal }: ReadHttpOptions = {},
): AsyncGenerator<Page, void, undefined> {
  if (isEnd(slice.position)) return
  const range = source.delta || source.ifChanged ? {} : rangeOf(incremental, slice)
  const follower = incremental && new CursorFollower(inOrder(incremental, source.paging), range, slice, scope)
  const isResumed = slice.position !== null
  const first = firstRequest(source.request, source.paging, range, incremental?.unit)
  const start = startOf(first, source, slice.since)
  const stored = isResumed ? requestAt(slice.position) : undefined
  const resumed = stored && source.request.file !== undefined ? start : stored
  const state = resumed ? readingAt(slice.position, resumed, source.paging) : NOTHING_READ
  const list = new MovingList({ paging: source.paging, incremental, slice, stored: state, start })
  const { secrets, emit, stream = '' } = scope
  const onSkip = (request: string, status: number, { expected = false }: RuleData): void => {
    slice.onPart?.(`a rule left out the response of ${request} with status ${status}`)
    emit({ type: 'response.skipped', stream, request, status, expected })
  }
  const sincePages = sincePagesOf(source, incremental, { range, slice, stored: secrets.reveal(state.since) }, scope)
  const warn = (message: string): void => emit({ type: 'warning', message, ...defined({ stream: scope.stream }) })
  const errors = new PageErrors({ mode: source.request.errors, warn })
  const options = { follower, secrets, state, slice, isChild, onSkip, sincePages, list, start, errors }
  const pageReader = new HttpPageReader(source, options)
  let request = resumed ? list.before(resumed, { isResumed: true }) : start

  await using prefetcher = new RequestPrefetcher(source, scope, bodyPositionAt(slice.position))
  for (let isFirst = true; ; isFirst = false) {
    const lost = (error: unknown): unknown =>
      isFirst && isResumed ? positionLost(error, request, source.paging) : error
    const given = isFirst && !isResumed ? givenPage(source, request, scope) : undefined
    const taken = given
      ? { request, response: given }
      : await takePage(prefetcher, request, list).catch((error: unknown) => {
          throw lost(error)
        })
    const { response } = taken
    request = taken.request
    if (isFirst && isResumed && response.rule) checkPosition(response, request, source.paging)
    if (response.parts) {
      yield* readParts({ ...response, parts: response.parts }, request, { source, follower, secrets, state, slice })
      return
    }
    const fit = fitOf(pageReader, response, { request, lost })
    if (fit.type === 'back') {
      request = fit.request
      await prefetcher.send([request])
      continue
    }
    const { page, next } = pageReader.read(response, fit)
    if (isFirst && onTotal) {
      const total = totalPages(source.paging, { page, next }, { request, response, seen: pageReader.state })
      if (total !== undefined) onTotal(total)
    }
    if (next) {
      const { atOnce } = prefetcher
      const overlap = list.overlapBefore(next)
      await prefetcher.send(requestsAhead(source.paging, next, pageReader.state, { atOnce, overlap }))
    }
    // Otherwise a run that is interrupted at once would come back to this page each time.
    if (resumed && next && isOnlyCheck(page, next, resumed)) page.hold?.[Symbol.dispose]()
    else yield page
    if (!next) return
    request = list.before(next)
  }
}

/** A stored cursor may be rejected by an error beside the data of a GraphQL response, too. */
function fitOf(
  pageReader: HttpPageReader,
  response: HeldResponse,
  { request, lost }: { readonly request: PageRequest; readonly lost: (error: unknown) => unknown },
): ReturnType<HttpPageReader['fit']> {
  try {
    return pageReader.fit(response, request)
  } catch (error) {
    throw lost(error)
  }
}

/** Returns the first request of a reading since a token of the API, or validators. */
function startOf(
  first: PageRequest,
  { delta, ifChanged }: Pick<HttpSource, 'delta' | 'ifChanged'>,
  token: string | undefined,
): PageRequest {
  if (token === undefined) return first
  if (delta) return requestSince(first, delta, token)
  return ifChanged ? ifChangedSince(first, token) : first
}

/** True for a page that was read again to check the position: its records are known, and the position is the same. */
const isOnlyCheck = ({ counts }: Page, next: PageRequest, resumed: PageRequest): boolean =>
  counts.fetched === 0 && isDeepStrictEqual(next, resumed)

/** `bySince()` has checked that the list is ascending. */
const inOrder = (incremental: Incremental, paging: Paging<never>): Incremental =>
  isSince(paging) ? { ...incremental, order: 'ascending' } : incremental

function sincePagesOf(
  source: HttpSource,
  incremental: Incremental | undefined,
  options: Pick<SinceOptions, 'range' | 'slice' | 'stored'>,
  { emit, stream }: Scope,
): SincePages | undefined {
  const { paging, request } = source
  if (!isSince(paging)) return undefined
  const problem = sinceProblem(source, incremental)
  if (problem !== undefined) throw new UsageError(problem)
  // With a cursor, its follower warns of the same records.
  const warn = incremental ? () => {} : (message: string) => emit({ type: 'warning', message, ...defined({ stream }) })
  return new SincePages({ request, paging, incremental, warn, ...options })
}

/** Returns the number of pages from the first one read, undefined if it is not known. */
function totalPages(
  paging: Paging<never>,
  { page, next }: HttpPage,
  { request, response, seen }: { request: PageRequest; response: HeldResponse; seen: ReadingState },
): number | undefined {
  const { fetched } = page.counts
  if (typeof paging === 'function' || fetched === 0) return undefined
  // A last page needs no total, and its body may not have one.
  if (!next) return 1
  if (isCounted(paging)) return pagesLeft(paging, request, fetched, seen)
  return paging.type === 'link header' && paging.rel === 'next'
    ? pagesToLast(response.headers['link'], response.url)
    : undefined
}

/**
 * Throws if a rule takes the rejection of a stored position for the end or for a page to leave out: the records behind
 * the position would be missing, and the reading would look complete.
 */
function checkPosition({ status, hold }: HeldResponse, request: PageRequest, paging: Paging<never>): void {
  if (!rejectsPosition(status, paging)) return
  hold[Symbol.dispose]()
  throw new PositionLostError(`${labelOf(request)}: the API answered ${status} to the stored position`)
}

/** Returns a `PositionLostError` if the error means that the API no longer knows the position, else the error. */
function positionLost(error: unknown, request: PageRequest, paging: Paging<never>): unknown {
  if (!(error instanceof HttpError) || !rejectsPosition(error.status, paging)) return error
  return new PositionLostError(`${labelOf(request)}: the API no longer knows the stored position: ${error.message}`, {
    cause: error,
  })
}

/**
 * True if a status rejects a position that the API issued: cursors with 400, 404, 410 or 422, page numbers and offsets
 * only with 410. A GraphQL cursor is rejected by errors in a response 200, too.
 */
function rejectsPosition(status: number, paging: Paging<never>): boolean {
  if (status === 410) return true
  if (isSince(paging)) return paging.within !== undefined && rejectsPosition(status, paging.within)
  if (isCounted(paging) || (typeof paging === 'object' && paging.type === 'one page')) return false
  const isRelay = typeof paging === 'object' && paging.type === 'relay'
  return [400, 404, 422].includes(status) || (isRelay && status === 200)
}
