// Turns the response to one request into a page and the request for the next page.
import { ENDED } from '../model/completeness.ts'
import { DecodeError, PagingError } from '../model/errors.ts'
import type { Page } from '../model/page.ts'
import type { HttpSource } from '../model/recipe.ts'
import type { ApiResponse, PageRequest } from '../model/request.ts'
import type { Scope, Secrets } from '../model/scope.ts'
import { defined } from '../value/defined.ts'
import type { CursorFollower } from './cursor/follow-cursor.ts'
import { followedPage } from './followed-page.ts'
import { announcementOf, countOf, isCounted } from './paging/counted-pages.ts'
import { LoopGuard } from './paging/loop-guard.ts'
import { nextRequest } from './paging/next-request.ts'
import type { HeldResponse } from './paging/request-prefetcher.ts'
import { afterPage, checkEmptyPages, noPages, type SeenPages } from './paging/seen-pages.ts'
import { unusedWaysOn } from './paging/unused-ways-on.ts'
import { positionOf } from './position.ts'
import { selectRecords } from './select-records.ts'

export interface HttpPage {
  readonly page: Page
  /** Undefined after the last page. */
  readonly next: PageRequest | undefined
}

export class HttpPageReader {
  readonly #source: HttpSource
  readonly #follower: CursorFollower | undefined
  readonly #secrets: Secrets
  readonly #warn: (message: string) => void
  readonly #guard = new LoopGuard()
  #seen: SeenPages
  #hasWarned = false
  /** True until a page was read, in a reading that starts at the beginning. */
  #isStart: boolean

  constructor(
    source: HttpSource,
    follower: CursorFollower | undefined,
    { secrets, emit, stream }: Pick<Scope, 'secrets' | 'emit' | 'stream'>,
    { isResumed }: { readonly isResumed: boolean },
  ) {
    this.#isStart = !isResumed
    this.#seen = noPages(isResumed)
    this.#source = source
    this.#follower = follower
    this.#secrets = secrets
    this.#warn = (message) => emit({ type: 'warning', message: secrets.hide(message), ...defined({ stream }) })
  }

  /** The pages that were read so far have shown this. */
  get seen(): SeenPages {
    return this.#seen
  }

  /** Call it for each response of the sequence once, in order. Releases the response if it throws. */
  read(response: HeldResponse, request: PageRequest): HttpPage {
    try {
      return this.#read(response, request)
    } catch (error) {
      response.hold[Symbol.dispose]()
      if (error instanceof DecodeError || error instanceof PagingError)
        error.message = this.#secrets.hide(`${labelOf(request)}: ${error.message}`)
      throw error
    }
  }

  #read(response: HeldResponse, request: PageRequest): HttpPage {
    const { paging, request: template } = this.#source
    const { status, body, hold, memory } = response
    this.#guard.add(request)
    if (template.emptyOn?.includes(status)) {
      const { page } = followedPage([], this.#follower)
      return { page: { ...page, position: positionOf(undefined), completeness: ENDED, hold, memory }, next: undefined }
    }
    const records = status === 204 ? [] : selectRecords(this.#source, body)
    this.#seen = afterPage(this.#seen, paging, { ...response, records })
    if (isCounted(paging)) this.#guard.compare(records, paging.parameter)
    const { page, hasEnded } = followedPage(records, this.#follower)
    const next = hasEnded ? undefined : nextRequest(paging, { ...response, records }, request, this.#seen)
    if (next) {
      checkEmptyPages(this.#seen, paging)
      this.#guard.check(next)
    }
    if (records.length === 0) this.#warnOfEmptyPage(request, next)
    // A later page was reached by a way on, so an API may leave it out at the end.
    if (this.#isStart && !next && !hasEnded) this.#warnOfWaysOn({ ...response, records }, request)
    this.#isStart = false
    const position = this.#secrets.hide(positionOf(next))
    return { page: { ...page, position, hold, memory, ...(!next && { completeness: ENDED }) }, next }
  }

  #warnOfWaysOn(response: ApiResponse<unknown>, request: PageRequest): void {
    const names = unusedWaysOn(this.#source.paging, response)
    if (names.length === 0) return
    this.#warn(
      `${labelOf(request)}: only one page was read, because the way to the next page is missing where the paginator ` +
        `looks for it. The response has ${names.join(', ')}. Compare the paginator with it`,
    )
  }

  /** An offset that steps over an empty page may leave out records. */
  #warnOfEmptyPage(request: PageRequest, next: PageRequest | undefined): void {
    const { paging } = this.#source
    if (this.#hasWarned || typeof paging === 'function' || paging.type !== 'offset') return
    const { total } = this.#seen
    const offset = countOf(request, paging)
    if (!next && (total === undefined || offset >= total)) return
    this.#hasWarned = true
    const continues = next ? `The reading continues at offset ${countOf(next, paging)}` : 'The reading ends here'
    this.#warn(
      `${labelOf(request)}: the page at offset ${offset} is empty, although ${announcementOf(paging, total)}. ` +
        `${continues}. Records ${next ? 'between the two' : 'of this page'} may be missing`,
    )
  }
}

/** Names a request in messages, without its parameters, which may be private. */
export const labelOf = ({ method, url }: PageRequest): string =>
  `${method} ${url === '' ? 'GraphQL' : url.split(/[?#]/, 1)[0]}`
