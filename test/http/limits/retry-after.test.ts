import { describe, expect, test } from '@jest/globals'
import { retryAfter } from '../../../src/http/limits/retry-after.ts'

const now = new Date('2024-05-01T12:00:00Z')

describe('Retry-After as a date', () => {
  test.each([
    ['an HTTP date', 'Wed, 01 May 2024 12:01:00 GMT'],
    ['an HTTP date without a zone', 'Wed, 01 May 2024 12:01:00'],
    ['the date of the C library', 'Wed May  1 12:01:00 2024'],
    ['an ISO date', '2024-05-01T12:01:00Z'],
    ['an ISO date without a zone', '2024-05-01T12:01:00'],
    ['an ISO date with an offset', '2024-05-01T14:01:00+02:00'],
  ])('is read as UTC: %s', (_, text) => {
    expect(retryAfter({ 'retry-after': text }, now)).toBe(60_000)
  })

  test.each([
    ['an hour fast', 'Wed, 01 May 2024 13:00:00 GMT', 'Wed, 01 May 2024 13:00:30 GMT'],
    ['a day slow', 'Tue, 30 Apr 2024 12:00:00 GMT', 'Tue, 30 Apr 2024 12:00:30 GMT'],
  ])('is counted by the clock of the API if that is %s', (_, date, text) => {
    expect(retryAfter({ 'retry-after': text, date }, now)).toBe(30_000)
  })

  test('is counted by the own clock if the API states no time, or none that can be read', () => {
    const text = 'Wed, 01 May 2024 12:01:00 GMT'
    expect(retryAfter({ 'retry-after': text }, now)).toBe(60_000)
    expect(retryAfter({ 'retry-after': text, date: 'soon' }, now)).toBe(60_000)
  })

  test('that is over is no wait, and a text that is no date is none', () => {
    expect(retryAfter({ 'retry-after': 'Wed, 01 May 2024 11:00:00 GMT' }, now)).toBe(0)
    expect(retryAfter({ 'retry-after': 'later' }, now)).toBeUndefined()
  })
})

test.each(['99999999999999999', 'Fri, 31 Dec 9999 23:59:59 GMT'])('Retry-After: %s is cut to a year', (text) => {
  expect(retryAfter({ 'retry-after': text }, now)).toBe(366 * 86_400_000)
})
