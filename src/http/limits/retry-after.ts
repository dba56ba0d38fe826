import type { ApiResponse } from '../../model/request.ts'

type Headers = ApiResponse<unknown>['headers']

/** A run waits no longer than this for an API. Beyond it the stream ends with its position committed. */
export const MAX_WAIT_MS = 300_000

/** Reads `retry-after` in milliseconds, given as seconds or as a date. */
export function retryAfter(headers: Headers, now: Date): number | undefined {
  const text = headers['retry-after']?.trim()
  if (!text) return undefined
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1_000
  return untilDate(text, headers, now)
}

/** Returns the milliseconds until a date of the server, by the server's own clock if the header `date` states it. */
export function untilDate(date: string | number, headers: Headers, now: Date): number | undefined {
  const at = new Date(date).getTime()
  const serverNow = headers['date'] === undefined ? Number.NaN : Date.parse(headers['date'])
  return Number.isNaN(at) ? undefined : Math.max(0, at - (Number.isNaN(serverNow) ? now.getTime() : serverNow))
}
