import { describe, expect, test } from '@jest/globals'
import { AdaptiveLimit } from '../../src/flow/adaptive-limit.ts'

describe('the number of requests in flight', () => {
  test('it grows to the maximum while answers come quickly', () => {
    const limit = new AdaptiveLimit({ start: 2, max: 20 })
    expect(simulate(limit, () => 50, 400).most).toBe(20)
  })

  test('it does not grow while fewer requests are in flight', () => {
    const limit = new AdaptiveLimit({ start: 4, max: 20 })
    for (let answers = 0; answers < 100; answers++) limit.succeeded(50, 3)
    expect(limit.limit).toBe(4)
  })

  test('it halves once for all requests that were in flight, and never below 1', () => {
    const limit = new AdaptiveLimit({ start: 8, max: 8 })
    for (let refused = 0; refused < 8; refused++) limit.failed(8 - refused)
    expect(limit.limit).toBe(4)
    for (let refused = 0; refused < 100; refused++) limit.failed(1)
    expect(limit.limit).toBe(1)
  })

  test('it halves when latency rises, and stays below the number at which it rose', () => {
    const limit = new AdaptiveLimit({ start: 8, max: 30 })
    const { most, last } = simulate(limit, slowFromTen, 400)
    expect(most).toBeGreaterThan(10)
    expect(last).toBeLessThanOrEqual(11)
  })

  test('it keeps within 20 % of the best fixed number where an API slows down from 10 in flight on', () => {
    const best = Math.min(...[6, 8, 9, 10, 11, 12].map((fixed) => simulate({ limit: fixed }, slowFromTen, 1_000).ms))
    expect(simulate(new AdaptiveLimit({ start: 8, max: 32 }), slowFromTen, 1_000).ms).toBeLessThan(best * 1.2)
  })

  test('it keeps the number where the API is slow whatever is in flight', () => {
    const limit = new AdaptiveLimit({ start: 8, max: 16 })
    let answers = 0
    simulate(limit, () => (answers++ < 50 ? 50 : 500), 400)
    expect(limit.limit).toBeGreaterThanOrEqual(14)
  })

  test('it ignores a rise of few milliseconds', () => {
    const limit = new AdaptiveLimit({ start: 4, max: 4 })
    for (const ms of [1, 5, 9, 3, 20, 12]) limit.succeeded(ms, 4)
    expect(limit.limit).toBe(4)
  })
})

/** Latency of an API that slows down from 10 requests in flight on, so that fewer of them pass. */
const slowFromTen = (inFlight: number): number => (inFlight > 10 ? 50 * (inFlight - 9) : 50)

interface Limit {
  readonly limit: number
  readonly succeeded?: AdaptiveLimit['succeeded']
}

/** Sends requests in virtual time, as many at once as the limit admits. The latency depends on their number. */
function simulate(limit: Limit, latency: (inFlight: number) => number, requests: number) {
  const inFlight: { sentAt: number; endsAt: number }[] = []
  let ms = 0
  let sent = 0
  let most = 0
  while (sent < requests || inFlight.length > 0) {
    while (sent < requests && inFlight.length < limit.limit) {
      sent++
      inFlight.push({ sentAt: ms, endsAt: ms + latency(inFlight.length + 1) })
    }
    most = Math.max(most, inFlight.length)
    inFlight.sort((a, b) => a.endsAt - b.endsAt)
    const count = inFlight.length
    const next = inFlight.shift()
    if (!next) break
    ms = next.endsAt
    limit.succeeded?.(next.endsAt - next.sentAt, count)
  }
  return { ms, most, last: limit.limit }
}
