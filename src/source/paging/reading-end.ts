// The end of a reading, and what its last page says.
import type { ApiResponse, PageRequest, Paging } from '../../model/request.ts'
import { valueAt } from '../../model/path.ts'
import { nameOf } from '../response-value.ts'
import { moreOf } from './next-request.ts'
import { pageSizeOf } from './page-size.ts'
import type { ReadingState } from './reading-state.ts'
import { recordsAt, statedRecords, type StatedCount } from './stated-totals.ts'

export interface ReadingEnd {
  readonly paging: Paging<never>
  /** The last request. */
  readonly request: PageRequest
  /** The response to it. */
  readonly response: ApiResponse<unknown>
  /** What is known with the last page. */
  readonly state: ReadingState
  /**
   * What ended the reading: the paginator, a rule for the response, or a record behind the range in the declared order.
   */
  readonly stop: 'paginator' | 'rule' | 'order'
  /** Different keys among the records of the reading. Undefined if they were not counted. */
  readonly differentKeys?: number | undefined
  /** A way to the next page was found in this stream, by this reading or another one. */
  readonly isWayOnKnown?: boolean
  /** Records of the largest page of the stream. */
  readonly largestPage?: number
  /** Each page began with the last record of the page before it, so no record was skipped. */
  readonly isAnchored?: boolean
  /** A record that was not read may have moved to where pages had been read. */
  readonly mayHide?: boolean
  /** So many different keys as the API states were read, and none of a deleted record. */
  readonly isComplete?: boolean
  /** The list has moved while it was read, so a number of records that was stated is no longer that of this reading. */
  readonly hasMoved?: boolean
}

/** Usual page sizes of APIs. A page of such a size may be one of several. */
const USUAL_SIZES = new Set([10, 20, 25, 30, 50, 100, 200, 250, 500, 1_000, 2_000, 5_000, 10_000])
/** Search engines count no further than this. */
const CAP = 10_000

/** Returns the last number of records that the API stated. */
export function countOfEnd({ paging, response, state }: ReadingEnd): StatedCount | undefined {
  if (state.lastCount === undefined) return undefined
  const at = recordsAt(paging)
  const name = statedRecords(paging, response)?.name ?? (at === undefined ? 'the API' : nameOf(at))
  return { count: state.lastCount, name }
}

/** True for a number of records that means "so many or more". */
export function isCapped({ paging, response }: ReadingEnd, count: number): boolean {
  const at = recordsAt(paging)
  // Elasticsearch: hits.total { value: 1000, relation: 'gte' }
  const relation =
    typeof at === 'string' && at.endsWith('.value')
      ? valueAt(response.body, at.replace(/value$/, 'relation'))
      : undefined
  return count === CAP || relation === 'gte'
}

/** Returns what `more` says, undefined if it is not there. */
export function moreOfEnd({ paging, response }: ReadingEnd): boolean | undefined {
  if (typeof paging === 'function' || !('more' in paging) || paging.more === undefined) return undefined
  return moreOf(paging, response, paging.more)
}

/** True if the last page has fewer records than were asked for, or than another page has. */
export function isLastPageShort({ paging, request, response: { records }, state }: ReadingEnd): boolean {
  return records.length < (pageSizeOf(request, paging) ?? state.largestPage) || records.length === 0
}

/** True if the only page has as many records as were asked for. Where that is unknown: a usual number of them. */
export function isOnlyPageFull({ paging, request, response, state, largestPage = 0 }: ReadingEnd): boolean {
  const { length } = response.records
  const size = pageSizeOf(request, paging)
  // A request for one record asks for no others.
  if (size !== undefined) return length >= size && size > 1
  // `onePage()` says that there is no other page.
  const isDeclared = typeof paging === 'object' && paging.type === 'one page'
  return !isDeclared && USUAL_SIZES.has(length) && length >= Math.max(state.largestPage, largestPage)
}
