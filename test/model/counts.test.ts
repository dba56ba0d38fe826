import { expect, test } from '@jest/globals'
import { addCounts, COUNT_NAMES, NO_COUNTS, NO_READ_COUNTS } from '../../src/model/counts.ts'

test('counts are added name by name', () => {
  const page = { ...NO_READ_COUNTS, fetched: 3, filtered: 1 }
  expect(addCounts(page, page, { ...NO_READ_COUNTS, parents: 2 })).toEqual({
    ...NO_READ_COUNTS,
    fetched: 6,
    filtered: 2,
    parents: 2,
  })
  expect(addCounts(NO_COUNTS)).toEqual(NO_COUNTS)
})

test('zero counts have each name of a count', () => {
  expect(Object.keys(NO_COUNTS)).toEqual(COUNT_NAMES)
})
