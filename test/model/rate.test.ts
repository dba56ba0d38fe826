import { expect, test } from '@jest/globals'
import { UsageError } from '../../src/model/errors.ts'
import { parseRate } from '../../src/model/rate.ts'

test.each([
  ['10/s', 10, 1_000],
  ['600/m', 600, 60_000],
  ['5000/h', 5_000, 3_600_000],
  ['0.5/s', 1, 2_000],
  ['2.5/s', 1, 400],
])('%s means %i requests in %i ms', (rate, requests, periodMs) => {
  expect(parseRate(rate)).toEqual({ requests, periodMs })
})

test.each(['10', '10/d', '0/s', '0.0/s', '-1/s', 'x/s', '.5/s', '1e3/s'])('%s is not a rate', (rate) => {
  expect(() => parseRate(rate)).toThrow(UsageError)
})
