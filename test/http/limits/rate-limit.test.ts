import { describe, expect, test } from '@jest/globals'
import { rateLimitOf } from '../../../src/http/limits/rate-limit.ts'
import { retryAfter } from '../../../src/http/limits/retry-after.ts'

const now = new Date('2024-05-01T12:00:00Z')
const in30s = now.getTime() / 1_000 + 30

describe('what an API says of its limit is read', () => {
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
  ])('%j', (headers, remaining, resetMs) => {
    expect(rateLimitOf(headers, now)).toEqual({ remaining, resetMs })
  })

  test.each<[Record<string, string>]>([
    [{}],
    [{ 'x-ratelimit-remaining': '0' }],
    [{ 'x-ratelimit-reset': '30' }],
    [{ 'x-ratelimit-remaining': 'many', 'x-ratelimit-reset': 'soon' }],
  ])('nothing in %j', (headers) => {
    expect(rateLimitOf(headers, now)).toBeUndefined()
  })
})

describe('Retry-After is read as seconds or as a date', () => {
  test.each<[string, number | undefined]>([
    ['30', 30_000],
    ['0', 0],
    ['1.5', 1_500],
    ['Wed, 01 May 2024 12:00:30 GMT', 30_000],
    ['Wed, 01 May 2024 11:00:00 GMT', 0],
    ['soon', undefined],
    ['', undefined],
  ])('%j', (text, ms) => {
    expect(retryAfter({ 'retry-after': text }, now)).toBe(ms)
  })

  test('by the clock of the server where it shows it', () => {
    expect(
      retryAfter({ 'retry-after': 'Wed, 01 May 2024 13:00:30 GMT', date: 'Wed, 01 May 2024 13:00:00 GMT' }, now),
    ).toBe(30_000)
  })
})
