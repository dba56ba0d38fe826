import { expect, test } from '@jest/globals'
import { periodName, periodOf } from '../../../src/load/partition/period.ts'
import { PARTITION_LENGTHS } from '../../../src/model/partition.ts'

const day = (text: string): number => Date.parse(`${text}T00:00:00Z`)

test.each([
  ['1d', '2024-02-29T23:59:59.999Z', '2024-02-29', '2024-03-01', '2024_02_29'],
  ['1w', '2024-03-03T12:00:00Z', '2024-02-26', '2024-03-04', '2024_02_26'],
  ['1w', '1969-12-31T12:00:00Z', '1969-12-29', '1970-01-05', '1969_12_29'],
  ['1mo', '2024-12-31T23:59:59Z', '2024-12-01', '2025-01-01', '2024_12'],
  ['1y', '1999-12-31T23:59:59Z', '1999-01-01', '2000-01-01', '1999'],
  ['1y', '0050-06-01T00:00:00Z', '0050-01-01', '0051-01-01', '0050'],
] as const)('a partition of %s with %s', (every, time, from, to, name) => {
  const period = periodOf(Date.parse(time), every)
  expect(period).toEqual({ from: day(from), to: day(to) })
  expect(periodName(period, every)).toBe(name)
})

test.each(PARTITION_LENGTHS)('partitions of %s leave no gap and do not overlap', (every) => {
  let period = periodOf(day('1967-05-17'), every)
  for (let count = 0; count < 200; count += 1) {
    const next = periodOf(period.to, every)
    expect(next.from).toBe(period.to)
    expect(periodOf(period.to - 1, every)).toEqual(period)
    period = next
  }
})
