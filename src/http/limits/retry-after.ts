import type { ApiResponse } from '../../model/request.ts'

type Headers = ApiResponse<unknown>['headers']

/** No run waits longer than this for an API; then the stream ends with its position committed. */
export const MAX_WAIT_MS = 300_000

/** Milliseconds that an answer asks to wait before the next request, given as seconds or as a date. */
export function retryAfter(headers: Headers, now: Date): number | undefined {
  const text = headers['retry-after']?.trim()
  if (!text) return undefined
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1_000
  return untilDate(text, headers, now)
}

/** Milliseconds until a date that the server named, by the server's own clock where it shows it. */
export function untilDate(date: string | number, headers: Headers, now: Date): number | undefined {
  const at = new Date(date).getTime()
  const shown = headers['date'] === undefined ? Number.NaN : Date.parse(headers['date'])
  return Number.isNaN(at) ? undefined : Math.max(0, at - (Number.isNaN(shown) ? now.getTime() : shown))
}
