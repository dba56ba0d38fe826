import { describe, expect, test } from '@jest/globals'
import { statusError } from '../../src/http/request-error.ts'

const now = new Date('2025-01-01T00:00:00Z')
const of = (status: number, headers: Record<string, string>): string =>
  statusError(status, headers, { label: 'GET /x', remedy: ': no right', now }).constructor.name

describe('403', () => {
  test.each([
    ['without a word on limits', {}, 'HttpError'],
    ['with requests left', { 'x-ratelimit-remaining': '12', 'x-ratelimit-reset': '1735689700' }, 'HttpError'],
    ['with none left', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1735689700' }, 'TransientError'],
    ['with Retry-After', { 'retry-after': '60' }, 'TransientError'],
    ['with a Retry-After longer than a run waits', { 'retry-after': '3600' }, 'RateLimitedError'],
  ])('%s, %j, fails as %s', (_, headers, expected) => {
    expect(of(403, headers)).toBe(expected)
  })
})
