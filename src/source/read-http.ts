import { DecodeError, HttpError, PagingError, PositionLostError } from '../model/errors.ts'
import { isEnd, type Page } from '../model/page.ts'
import type { HttpSource, Incremental } from '../model/recipe.ts'
import type { ApiResponse, PageRequest, Paging } from '../model/request.ts'
import type { Scope } from '../model/scope.ts'
import type { SliceRead } from '../model/slice.ts'
import { RequestPrefetcher } from './paging/request-prefetcher.ts'
import { NO_READ_COUNTS } from '../model/counts.ts'
import { followCursor } from './cursor/follow-cursor.ts'
import { LoopGuard } from './paging/loop-guard.ts'
import { nextRequest, pagesFrom, pagesIn } from './paging/next-request.ts'
import { parameterOf, withParameter } from './paging/parameter.ts'
import { requestAt, positionOf } from './position.ts'
import { rangeOf } from './cursor/range.ts'
import { firstRequest } from './first-request.ts'
import { selectRecords } from './select-records.ts'

/**
 * The pages of one chain of requests, from a position on. The next page is on its way while the last one is handed on.
 */
export async function* readHttp(
  source: HttpSource,
  incremental: Incremental | undefined,
  reading: SliceRead,
  scope: Scope,
  total?: (pages: number) => void,
): AsyncGenerator<Page, void, undefined> {
  if (isEnd(reading.position)) return
  const range = rangeOf(incremental, reading)
  const follow =
    incremental &&
    followCursor(incremental, range, reading, (message) =>
      scope.emit({ type: 'warning', message, ...(scope.stream !== undefined && { stream: scope.stream }) }),
    )
  const guard = new LoopGuard()
  const resumed = reading.position !== null
  let request: PageRequest = resumed
    ? requestAt(reading.position)
    : firstRequest(source.request, source.paging, range, incremental?.unit)

  await using ahead = new RequestPrefetcher(source, scope)
  for (let isFirst = true; ; isFirst = false) {
    const received = await ahead.take(request).catch((error: unknown) => {
      throw isFirst && resumed && isForgotten(error, source.paging)
        ? new PositionLostError(`${placeOf(request)}: the API no longer knows the stored position: ${error.message}`, {
            cause: error,
          })
        : error
    })
    const { page, next } = ((): { page: Page; next: PageRequest | undefined } => {
      try {
        return readPage(received)
      } catch (error) {
        received.hold[Symbol.dispose]()
        if (error instanceof DecodeError || error instanceof PagingError)
          error.message = scope.secrets.hide(`${placeOf(request)}: ${error.message}`)
        throw error
      }
    })()
    if (isFirst) tellTotal(received, page, next)
    if (next) await ahead.send(expected(source, received.body, next))
    yield page
    if (!next) return
    request = next
  }

  function tellTotal(
    { body }: { readonly body: unknown },
    { counts: { fetched } }: Page,
    next: PageRequest | undefined,
  ): void {
    if (!total || typeof source.paging === 'function' || fetched === 0) return
    // Where this page is the last, it may say so without a total, and nobody needs one.
    const pages = next ? pagesFrom(source.paging, body, request, fetched) : 1
    if (pages !== undefined) total(pages)
  }

  function readPage(received: Awaited<ReturnType<RequestPrefetcher['take']>>): {
    page: Page
    next: PageRequest | undefined
  } {
    const nothing = received.status === 204 || source.request.emptyOn?.includes(received.status) === true
    const records = nothing ? [] : selectRecords(source, received.body)
    const response: ApiResponse<unknown> = { ...received, records }
    guard.made(request)
    if (
      !nothing &&
      typeof source.paging === 'object' &&
      (source.paging.type === 'page' || source.paging.type === 'offset')
    )
      guard.compare(records, source.paging.parameter)
    const followed = follow?.(records)
    const next = nothing || followed?.ended ? undefined : nextRequest(source.paging, response, request)
    if (next) guard.check(next)
    const { filtered = 0, boundaryMatches = [], highWaterMark } = followed ?? {}
    return {
      next,
      page: {
        records: followed?.records ?? records,
        rejects: [],
        hold: received.hold,
        memory: received.memory,
        counts: { ...NO_READ_COUNTS, fetched: records.length, filtered, duplicate: boundaryMatches.length },
        position: scope.secrets.hide(positionOf(next)),
        ...(highWaterMark && { highWaterMark }),
        ...(boundaryMatches.length > 0 && { boundaryMatches }),
      },
    }
  }
}

/**
 * The requests that will most probably follow: one, or where the number of pages is known, as many as may be under way.
 */
function expected({ paging, api }: HttpSource, body: unknown, next: PageRequest): PageRequest[] {
  if (typeof paging === 'function' || paging.type !== 'page') return [next]
  const pages = pagesIn(paging, body)
  if (pages === undefined) return [next]
  const page = Number(parameterOf(next, paging.parameter))
  const last = Math.min(paging.start + pages - 1, paging.max ?? Infinity, page + Math.min(api.concurrency ?? 8, 8) - 1)
  return Array.from({ length: Math.max(1, last - page + 1) }, (_, number) =>
    withParameter(next, paging.parameter, page + number),
  )
}

/**
 * Whether an API refuses a page that it had named itself: tokens are refused in many ways, counted pages only by saying
 * that they are gone.
 */
function isForgotten(error: unknown, paging: Paging<never>): error is HttpError {
  if (!(error instanceof HttpError)) return false
  const isCounted =
    typeof paging === 'object' && (paging.type === 'page' || paging.type === 'offset' || paging.type === 'one page')
  const isRelay = typeof paging === 'object' && paging.type === 'relay'
  return (
    error.status === 410 || (!isCounted && [400, 404, 422].includes(error.status)) || (isRelay && error.status === 200)
  )
}

/** A request as messages name it: without its parameters, which may hold what is nobody's business. */
const placeOf = ({ method, url }: PageRequest): string => `${method} ${url === '' ? 'GraphQL' : url.split(/[?#]/)[0]}`
