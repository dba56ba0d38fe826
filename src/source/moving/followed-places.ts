// Pages that a response, or a user's function, leads to: whether they count, and whether a position is still good.
import { isDeepStrictEqual } from 'node:util'
import { ListMovedError } from '../../model/errors.ts'
import type { PageRequest, Paging } from '../../model/request.ts'
import { countedPlace } from '../paging/counted-place.ts'
import type { Fit, StepBack } from './fit.ts'
import type { ListAnchors } from './list-anchors.ts'

export interface FollowedPlacesOptions {
  /** The first request. */
  readonly start: PageRequest
  /** Rows are found by a key, so that a record may be read twice. */
  readonly isKeyed: boolean
  /** Rows that were appended without a key may be removed, to begin anew. */
  readonly mayRestart: boolean
}

/** The pages of one list that may be found by counting. */
export class FollowedPlaces {
  readonly #paging: Paging<never>
  readonly #anchors: ListAnchors
  readonly #options: FollowedPlacesOptions
  /** Undefined until a request has been led to. */
  #isCounting: boolean | undefined
  #resumed: { readonly type: 'page' | 'offset'; readonly request: PageRequest } | undefined

  constructor(paging: Paging<never>, anchors: ListAnchors, options: FollowedPlacesOptions) {
    this.#paging = paging
    this.#anchors = anchors
    this.#options = options
  }

  /** True if a record that is inserted or deleted moves the pages behind it; undefined while that is not known. */
  get isCounting(): boolean | undefined {
    return this.#isCounting
  }

  /** Call it for each request that was led to. */
  follow(next: PageRequest): void {
    this.#isCounting ??= countedPlace(this.#paging, next, this.#options.start) !== undefined
  }

  /** Returns the request to resume with: a page or a record before a counted position, to see what stands there now. */
  resume(position: PageRequest): PageRequest {
    // A pass that was interrupted before its first page has not shown yet whether its pages are counted.
    if (isDeepStrictEqual(position, JSON.parse(JSON.stringify(this.#options.start)))) return position
    const place = countedPlace(this.#paging, position, this.#options.start)
    this.#isCounting = place !== undefined
    if (!place || place.count === 0 || this.#anchors.isEmpty) return position
    this.#resumed = { type: place.type, request: position }
    return place.at(place.count - 1)
  }

  /**
   * Returns what follows the last record that was read, in the first response after an interruption. Where this record
   * does not stand before the position any more, everything is read again. Undefined for the other responses.
   */
  fitResumed(records: readonly unknown[], sent: PageRequest): Fit | StepBack | undefined {
    if (!this.#resumed) return undefined
    const { type, request } = this.#resumed
    const { isKeyed, mayRestart, start } = this.#options
    this.#resumed = undefined
    const isPage = type === 'page'
    const last = isPage ? records.at(-1) : records[0]
    if (last !== undefined && this.#anchors.isLast(last))
      return {
        type: 'fit',
        request: sent,
        listed: records,
        records: isPage ? [] : records.slice(1),
        isVerified: true,
      }
    if (isKeyed) return { type: 'back', request: start, isStart: true }
    if (mayRestart) throw new ListMovedError()
    return { type: 'back', request, isProbe: true }
  }
}
