import { expect, test } from '@jest/globals'
import { duration, durationText } from '../../src/value/duration.ts'

test.each([
  ['250ms', 250],
  ['30s', 30_000],
  ['5m', 300_000],
  ['24h', 86_400_000],
  ['7d', 604_800_000],
  ['2w', 1_209_600_000],
  ['1.5s', 1_500],
  ['0s', 0],
  [1_234, 1_234],
])('%s is %d ms', (text, ms) => {
  expect(duration(text)).toBe(ms)
})

test.each(['', '5', 'm', '5 m', '5min', '-5m', '5m3s', '5M', 'Infinityms', -1, Number.NaN, Infinity])(
  '%p is no duration, and the message names it',
  (text) => {
    expect(() => duration(text)).toThrow(RangeError)
    expect(() => duration(text)).toThrow(`${JSON.stringify(text)} is no duration`)
  },
)

test.each([
  [0, '0ms'],
  [1_500, '1500ms'],
  [30_000, '30s'],
  [90_000, '90s'],
  [300_000, '5m'],
  [604_800_000, '7d'],
])('durationText writes %d ms as %s', (ms, text) => {
  expect(durationText(ms)).toBe(text)
})
