import { expect, test } from '@jest/globals'
import { formatLike, subtractMs } from '../../src/value/instant-text.ts'

test.each([
  ['2024-03-01T00:00:00Z', 1_000, '2024-02-29T23:59:59Z'],
  ['2024-03-01T02:00:00.123456+02:00', 1, '2024-03-01T02:00:00.122456+02:00'],
  ['2024-03-01 02:00:00,5 -0130', 500, '2024-03-01 02:00:00,0 -0130'],
  ['2024-03-01', 1, '2024-02-29'],
  ['2024-03-01T00:00', 60_000, '2024-02-29T23:59'],
  ['1970-01-01T00:00:00Z', 1, '1969-12-31T23:59:59Z'],
])('subtractMs: %p less %d ms is %p, in its own format and rounded down', (text, ms, earlier) => {
  expect(subtractMs(text, ms)).toBe(earlier)
})

test.each(['abc', '2024-02-30', '17'])('subtractMs returns undefined for %p, which is no time', (text) => {
  expect(subtractMs(text, 1)).toBeUndefined()
})

test.each([
  ['2000-01-01', '2024-05-06'],
  ['2000-01-01T00:00Z', '2024-05-06T07:08Z'],
  ['2000-01-01t00:00:00.0000z', '2024-05-06t07:08:09.1230z'],
  ['2000-01-01 00:00:00.00+05:30', '2024-05-06 12:38:09.12+05:30'],
])('formatLike writes a time as %p does', (like, text) => {
  expect(formatLike(like, new Date('2024-05-06T07:08:09.123Z'))).toBe(text)
})
