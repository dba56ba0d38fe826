import type { ApiResponse } from '../../model/request.ts'

type Headers = ApiResponse<unknown>['headers']

/** A run waits no longer than this for an API. Beyond it the stream ends with its position committed. */
export const MAX_WAIT_MS = 300_000

/** A stated time beyond this is shortened: dates and intervals have an end. */
const MAX_STATED_MS = 366 * 86_400_000

/** Reads `retry-after` in milliseconds, given as seconds or as a date. */
export function retryAfter(headers: Headers, now: Date): number | undefined {
  const text = headers['retry-after']?.trim()
  if (!text) return undefined
  if (/^\d+(\.\d+)?$/.test(text)) return atMost(Number(text) * 1_000)
  return untilDate(text, headers, now)
}

/** Returns the milliseconds until a date of the server, by the server's own clock if the header `date` states it. */
export function untilDate(date: string | number, headers: Headers, now: Date): number | undefined {
  const at = typeof date === 'number' ? date : parseDate(date)
  const serverNow = parseDate(headers['date'] ?? '')
  return Number.isNaN(at) ? undefined : atMost(Math.max(0, at - (Number.isNaN(serverNow) ? now.getTime() : serverNow)))
}

/** Parses a date of a header. Without a zone it is UTC, as all dates of HTTP are; `Date` would take the local zone. */
function parseDate(text: string): number {
  const date = text.trim()
  if (/^\d{4}-\d\d-\d\d[T ][\d:.]+$/.test(date)) return Date.parse(`${date}Z`)
  return Date.parse(/:\d\d(?: \d{4})?$/.test(date) && !/[+-]\d\d:\d\d$/.test(date) ? `${date} GMT` : date)
}

/** Shortens a stated time that no date could hold. */
export const atMost = (ms: number): number => Math.min(ms, MAX_STATED_MS)
