// Turns the response to one request into a page and the request for the next page.
import { DecodeError, PagingError } from '../model/errors.ts'
import type { Page } from '../model/page.ts'
import type { HttpSource } from '../model/recipe.ts'
import type { PageRequest } from '../model/request.ts'
import type { Secrets } from '../model/scope.ts'
import type { CursorFollower } from './cursor/follow-cursor.ts'
import { followedPage } from './followed-page.ts'
import { isCounted } from './paging/counted-pages.ts'
import { LoopGuard } from './paging/loop-guard.ts'
import { nextRequest } from './paging/next-request.ts'
import type { HeldResponse } from './paging/request-prefetcher.ts'
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
  readonly #guard = new LoopGuard()

  constructor(source: HttpSource, follower: CursorFollower | undefined, secrets: Secrets) {
    this.#source = source
    this.#follower = follower
    this.#secrets = secrets
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
    if (status === 204 || template.emptyOn?.includes(status)) {
      const { page } = followedPage([], this.#follower)
      return { page: { ...page, position: positionOf(undefined), hold, memory }, next: undefined }
    }
    const records = selectRecords(this.#source, body)
    if (isCounted(paging)) this.#guard.compare(records, paging.parameter)
    const { page, hasEnded } = followedPage(records, this.#follower)
    const next = hasEnded ? undefined : nextRequest(paging, { ...response, records }, request)
    if (next) this.#guard.check(next)
    return { page: { ...page, position: this.#secrets.hide(positionOf(next)), hold, memory }, next }
  }
}

/** Names a request in messages, without its parameters, which may be private. */
export const labelOf = ({ method, url }: PageRequest): string =>
  `${method} ${url === '' ? 'GraphQL' : url.split(/[?#]/, 1)[0]}`
