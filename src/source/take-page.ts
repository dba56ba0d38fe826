// The response to a request that may overlap with the page before.
import { HttpError } from '../model/errors.ts'
import type { PageRequest } from '../model/request.ts'
import type { MovingList } from './moving/moving-list.ts'
import type { HeldResponse, RequestPrefetcher } from './paging/request-prefetcher.ts'

/** Statuses of an API that does not accept the parameters of a request. */
const REJECTED = new Set([400, 404, 416, 422])

export interface TakenPage {
  /** The request to which this is the response. */
  readonly request: PageRequest
  readonly response: HeldResponse
}

/**
 * Returns the response to a request. An API may reject an offset within a page: then the offset of the next page is
 * requested. A rule may take the rejection for the end of the list, which it is only if both are rejected.
 */
export async function takePage(
  prefetcher: RequestPrefetcher,
  request: PageRequest,
  { overlap }: MovingList,
): Promise<TakenPage> {
  const plain = overlap?.withoutOverlap(request)
  if (!plain) return { request, response: await prefetcher.take(request) }
  const response = await prefetcher.take(request).catch((error: unknown) => {
    if (error instanceof HttpError && REJECTED.has(error.status)) return undefined
    throw error
  })
  if (response && !isRejected(response)) return { request, response }
  response?.hold[Symbol.dispose]()
  await prefetcher.send([plain])
  const next = await prefetcher.take(plain)
  if (isRejected(next)) return { request, response: next }
  overlap?.align()
  return { request: plain, response: next }
}

const isRejected = ({ rule, status }: HeldResponse): boolean => rule !== undefined && REJECTED.has(status)
