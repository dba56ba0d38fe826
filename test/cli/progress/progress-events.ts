import { NO_COUNTS } from '../../../src/model/counts.ts'
import type { RunEvent } from '../../../src/model/event.ts'

export const counts = NO_COUNTS
export const started = { type: 'slice.started', stream: 's', slice: '1', resumed: false } satisfies RunEvent
export const request = {
  type: 'request.finished',
  stream: 's',
  method: 'GET',
  url: 'http://x',
  status: 200,
  bytes: 1,
  ms: 1,
} satisfies RunEvent
export const batch = (fetched: number, slice = '1'): RunEvent => ({
  type: 'batch.committed',
  stream: 's',
  slice,
  seq: 1,
  pages: 1,
  bytes: 1,
  ms: 1,
  counts: { ...counts, fetched, inserted: fetched },
})
export const finished = (slice: string): RunEvent => ({ type: 'slice.finished', stream: 's', slice, counts })
export const retry: RunEvent = {
  type: 'request.retried',
  stream: 's',
  attempt: 1,
  reason: 'GET / answered 503',
  waitMs: 900,
}
export const waiting = (ms: number): RunEvent => ({ type: 'waiting', stream: 's', for: 'retry-after', ms })
export const plan = (
  states: string,
  toRead = states.split('').filter((one) => 'of'.includes(one)).length,
): RunEvent => ({
  type: 'backfill.planned',
  stream: 's',
  backfill: '1',
  from: 'a',
  to: 'b',
  window: '1d',
  zone: 'UTC',
  windows: { total: states.length, done: 0, unproven: 0, failed: 0, skipped: 0, open: 0 },
  toRead,
  states,
})
export const window = (place: number): RunEvent => ({
  type: 'slice.started',
  stream: 's',
  slice: String(place),
  resumed: false,
  lower: 'a',
  upper: 'b',
  windowIndex: place,
})
