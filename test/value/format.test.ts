import { expect, test } from '@jest/globals'
import { formatNumber } from '../../src/value/format.ts'

test('a number has commas as in English', () => {
  for (const value of [
    0,
    7,
    999,
    1_000,
    12_345,
    999_999,
    1_000_000,
    -1,
    -999,
    -1_000,
    2 ** 53 - 1,
    2 ** 70,
    1_234.5,
    0.25,
  ])
    expect(formatNumber(value)).toBe(value.toLocaleString('en-US'))
})
