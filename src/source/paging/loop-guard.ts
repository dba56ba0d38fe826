// Detects pages that repeat, before a page that was read twice is stored twice.
import { hash } from 'node:crypto'
import { PagingError } from '../../model/errors.ts'
import type { PageRequest } from '../../model/request.ts'
import { contentOf } from '../../value/json/content-of.ts'
import { isInHeader, nameOf } from '../response-value.ts'
import { queryText } from '../label-of.ts'
import { countOf, type CountedPaging } from './counted-pages.ts'

/** Requests that are remembered, in about 20 MB. A longer circle is not detected. */
const MAX_REMEMBERED = 100_000

/** Pages that overlap and have so few records may be equal, a few times. */
const SHORT_PAGE = 10
const MAX_EQUAL_SHORT_PAGES = 20

/**
 * Knows the requests of this process only. After an interruption it does not know those before the stored position: a
 * circle through them is found one round later, when it comes to a request that was sent again. The pages of this round
 * are read twice.
 */
export class LoopGuard {
  /** Hashes of the last requests, in the order in which they were sent. */
  readonly #sent = new Set<string>()
  #lastPage: { readonly length: number; readonly sample: string; readonly count: number } | undefined
  #equalPages = 0

  /** Remembers a request that was sent. */
  add(request: PageRequest): void {
    if (this.#sent.size >= MAX_REMEMBERED) this.#forgetOldest()
    this.#sent.add(hashOf(request))
  }

  /** Throws if the next request was sent before. */
  check(next: PageRequest): void {
    if (!this.#sent.has(hashOf(next))) return
    throw new PagingError(
      'the response leads to a page that was read before. The paging goes in a circle, so this page was not stored. ' +
        'Compare the parameter that the paginator sends with what the API expects',
    )
  }

  /** Returns a guard that knows no requests: the list has moved, and earlier pages are requested again. */
  withoutRequests(): LoopGuard {
    const guard = new LoopGuard()
    guard.#lastPage = this.#lastPage
    guard.#equalPages = this.#equalPages
    return guard
  }

  /**
   * Throws if counted pages in a row are equal though they were requested by different numbers: the API seems to ignore
   * the parameter. Of short pages that overlap, some may be equal, because the list may move by the length of one.
   */
  compare(records: readonly unknown[], paging: CountedPaging, request: PageRequest, { mayMove = false } = {}): void {
    const { parameter } = paging
    const { length } = records
    const count = countOf(request, paging)
    const sample = length < 2 ? '' : contentOf([records[0], records[length >> 1], records[length - 1]])
    const { sample: lastSample, length: lastLength, count: lastCount } = this.#lastPage ?? {}
    const isEqual = sample !== '' && lastSample === sample && lastLength === length && lastCount !== count
    this.#equalPages = isEqual ? this.#equalPages + 1 : 0
    if (this.#equalPages > (mayMove && length <= SHORT_PAGE ? MAX_EQUAL_SHORT_PAGES : 0)) {
      throw new PagingError(
        `two pages in a row hold the same ${length} records, so the API seems to ignore ` +
          `${isInHeader(parameter) ? nameOf(parameter) : `the parameter '${parameter}'`}. Correct its name, or write ` +
          `a paginator function if equal pages are right${queryText(request)}`,
      )
    }
    this.#lastPage = { length, sample, count }
  }

  #forgetOldest(): void {
    for (const oldest of this.#sent) {
      this.#sent.delete(oldest)
      return
    }
  }
}

/** A hash instead of the request keeps the memory small. A URL is the same page by either scheme. */
const hashOf = ({ method, url, query, json, form, graphql, headers }: PageRequest): string => {
  const place = url.replace(/^http:/i, 'https:')
  return hash(
    'sha1',
    JSON.stringify([method, place, query, json, form, graphql === undefined, headers]),
    'base64',
  ).slice(0, 16)
}
