import { hash } from 'node:crypto'
import { PagingError } from '../../model/errors.ts'
import type { PageRequest } from '../../model/request.ts'
import { digest } from '../../value/digest.ts'

/** Requests that are remembered: longer circles than this one are not noticed, and memory stays below some 20 MB. */
const REMEMBERED = 100_000

/** Notices when pages go in a circle, before a page that was read twice is stored twice. */
export class LoopGuard {
  readonly #made = new Set<string>()
  #last: { readonly records: number; readonly sample: string } | undefined

  /** A request that is about to be made. */
  made(request: PageRequest): void {
    if (this.#made.size >= REMEMBERED) this.#made.delete(this.#made.values().next().value!)
    this.#made.add(nameOf(request))
  }

  /** The request that would follow. */
  check(next: PageRequest): void {
    if (this.#made.has(nameOf(next)))
      throw new PagingError(
        'the answer leads to a page that was already read: the paging goes in a circle, so this page was not stored either; look at what the paginator sends, and at what the API answers to it',
      )
  }

  /** For pages that are counted: an API that does not know the parameter answers the same page to every number. */
  compare(records: readonly unknown[], parameter: string): void {
    const sample = records.length < 2 ? '' : digest([records[0], records[records.length >> 1], records.at(-1)])
    if (sample !== '' && this.#last?.sample === sample && this.#last.records === records.length) {
      throw new PagingError(
        `two pages in a row hold the same ${records.length} records, so the API seems not to know the parameter '${parameter}': correct its name, or give a paginator of your own where this is right`,
      )
    }
    this.#last = { records: records.length, sample }
  }
}

const nameOf = (request: PageRequest): string =>
  hash(
    'sha1',
    JSON.stringify([request.method, request.url, request.query, request.json, request.graphql === undefined]),
    'base64',
  ).slice(0, 16)
