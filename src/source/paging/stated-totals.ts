// Numbers of records and pages that a response states: where the paginator reads them, or in a header of a known name.
import type { ApiResponse, InResponse, Paging } from '../../model/request.ts'
import { nameOf } from '../response-value.ts'
import { statedNumber } from './counted-pages.ts'

export interface StatedCount {
  readonly count: number
  /** The quoted place, for messages. */
  readonly name: string
}

type Headers = ApiResponse<unknown>['headers']

/** Headers with the number of all records, as GitLab, WordPress and many others send them. */
const COUNT_HEADERS = ['x-total-count', 'x-total', 'x-wp-total']
/** Headers with the number of all pages. */
const PAGES_HEADERS = ['x-total-pages', 'x-wp-totalpages']

/** Returns the number of all records that a response states. Never throws. */
export function statedRecords(paging: Paging<never>, response: ApiResponse<unknown>): StatedCount | undefined {
  const at = recordsAt(paging)
  const count = statedNumber(at, response)
  if (at !== undefined && count !== undefined) return { count, name: nameOf(at) }
  return recordsInHeaders(response.headers)
}

/** The place of the number of all records, undefined if the paginator names none. */
export const recordsAt = (paging: Paging<never>): InResponse<never, unknown> | undefined =>
  typeof paging === 'object' && 'total' in paging ? paging.total : undefined

/** Returns the number of all records that a header states, whether the pipeline names the header or not. */
export function recordsInHeaders(headers: Headers): StatedCount | undefined {
  return firstOf(headers, COUNT_HEADERS) ?? recordsInRange(headers['content-range'])
}

/** Returns the number of all pages that a header states. */
export const pagesInHeaders = (headers: Headers): StatedCount | undefined => firstOf(headers, PAGES_HEADERS)

function firstOf(headers: Headers, names: readonly string[]): StatedCount | undefined {
  for (const header of names) {
    const text = headers[header]?.trim() ?? ''
    if (/^\d{1,15}$/.test(text)) return { count: Number(text), name: nameOf({ header }) }
  }
  return undefined
}

/** `content-range: items 0-24/319` has the total behind its slash. A range of bytes counts no records. */
function recordsInRange(range: string | undefined): StatedCount | undefined {
  const [, unit = '', total] = /^\s*(\S*?)\s*(?:\d+-\d+|\*)\/(\d{1,15})\s*$/.exec(range ?? '') ?? []
  if (total === undefined || unit === 'bytes') return undefined
  return { count: Number(total), name: nameOf({ header: 'content-range' }) }
}
