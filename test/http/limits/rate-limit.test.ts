import { describe, expect, test } from '@jest/globals'
import { rateLimitOf } from '../../../src/http/limits/rate-limit.ts'
import { retryAfter } from '../../../src/http/limits/retry-after.ts'

const now = new Date('2024-05-01T12:00:00Z')
const in30s = now.getTime() / 1_000 + 30

describe('the rate limit of a response', () => {
  test.each<[Record<string, string>, number, number]>([
    [{ ratelimit: '"default";r=50;t=30' }, 50, 30_000],
    [{ ratelimit: '"minute";r=50;t=30, "day";r=3;t=9000' }, 3, 9_000_000],
    [{ ratelimit: 'limit=100, remaining=50, reset=30' }, 50, 30_000],
    [{ 'ratelimit-limit': '100', 'ratelimit-remaining': '0', 'ratelimit-reset': '30' }, 0, 30_000],
    [{ 'x-ratelimit-remaining': '5', 'x-ratelimit-reset': '30' }, 5, 30_000],
    [{ 'x-ratelimit-remaining': '5', 'x-ratelimit-reset': String(in30s) }, 5, 30_000],
    [{ 'x-ratelimit-remaining': '5', 'x-ratelimit-reset': String(in30s * 1_000) }, 5, 30_000],
    [{ 'x-ratelimit-remaining': '5', 'x-ratelimit-reset': '2024-05-01T12:00:30Z' }, 5, 30_000],
    [{ 'x-ratelimit-remaining': '5', 'x-ratelimit-reset-after': '0.5' }, 5, 500],
    [{ 'x-rate-limit-remaining': '5', 'x-rate-limit-reset': String(in30s) }, 5, 30_000],
    [
      { 'x-ratelimit-remaining': '5', 'x-ratelimit-reset': String(in30s), date: 'Wed, 01 May 2024 12:00:20 GMT' },
      5,
      10_000,
    ],
  ])('is read from %j', (headers, remaining, resetMs) => {
    expect(rateLimitOf(headers, now)).toEqual({ remaining, resetMs, header: expect.stringMatching(/limit\S*: /) })
  })

  test.each<[Record<string, string>]>([
    [{}],
    [{ 'x-ratelimit-remaining': '0' }],
    [{ 'x-ratelimit-reset': '30' }],
    [{ 'x-ratelimit-remaining': 'many', 'x-ratelimit-reset': 'soon' }],
  ])('is undefined for %j', (headers) => {
    expect(rateLimitOf(headers, now)).toBeUndefined()
  })
})

describe('Retry-After', () => {
  test.each<[string, number | undefined]>([
    ['30', 30_000],
    ['0', 0],
    ['1.5', 1_500],
    ['Wed, 01 May 2024 12:00:30 GMT', 30_000],
    ['Wed, 01 May 2024 11:00:00 GMT', 0],
    ['soon', undefined],
    ['', undefined],
  ])('%j is read as %p ms', (text, ms) => {
    expect(retryAfter({ 'retry-after': text }, now)).toBe(ms)
  })

  test('as a date is read by the clock of the server, if the response states it', () => {
    expect(
      retryAfter({ 'retry-after': 'Wed, 01 May 2024 13:00:30 GMT', date: 'Wed, 01 May 2024 13:00:00 GMT' }, now),
    ).toBe(30_000)
  })
})

test('budgets of a definition: the strictest counts, and points by the cost of a request', () => {
  const named = [
    { remaining: 'x-calls-left', reset: 'x-calls-reset' },
    { remaining: 'x-points-left', reset: 'x-points-reset', cost: 'x-cost' },
  ]
  const headers = {
    'x-calls-left': '9',
    'x-calls-reset': '5',
    'x-points-left': '100',
    'x-points-reset': '60',
    'x-cost': '40',
  }
  const now = new Date('2024-05-01T12:00:00Z')
  expect(rateLimitOf(headers, now, named)).toEqual({ remaining: 2, resetMs: 60_000, header: 'x-points-left: 100' })
  expect(rateLimitOf({ ...headers, 'x-calls-left': '1' }, now, named)).toMatchObject({ remaining: 1, resetMs: 5_000 })
  expect(rateLimitOf({ 'x-ratelimit-remaining': '3', 'x-ratelimit-reset': '7' }, now, named)).toMatchObject({
    remaining: 3,
  })
})
