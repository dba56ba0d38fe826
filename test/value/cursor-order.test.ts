import { expect, test } from '@jest/globals'
import { maxHighWaterMark } from '../../src/model/high-water-mark.ts'
import { compareCursors, cursorKind } from '../../src/value/cursor-order.ts'

test('compareCursors compares numbers, times and texts each in its own way', () => {
  expect(['2024-01-01', '17', '-1.50', 'abc', '1e5'].map(cursorKind)).toEqual([
    'instant',
    'number',
    'number',
    'text',
    'text',
  ])
  const ordered: [string, string][] = [
    ['9', '10'],
    ['-10', '-9'],
    ['-0.5', '0'],
    ['1.09', '1.1'],
    ['9007199254740992', '9007199254740993'],
    ['2024-01-01T00:00:00Z', '2024-01-01T00:00:00.700Z'],
    ['2024-01-01T09:00:00+09:00', '2024-01-01T03:00:00Z'],
    ['a', 'b'],
  ]
  for (const [less, more] of ordered) {
    expect(Math.sign(compareCursors(less, more))).toBe(-1)
    expect(Math.sign(compareCursors(more, less))).toBe(1)
  }
  for (const [a, b] of [
    ['1.50', '1.5'],
    ['007', '7'],
    ['2024-01-01', '2024-01-01T00:00:00Z'],
  ] as const)
    expect(compareCursors(a, b)).toBe(0)
})

test('maxHighWaterMark keeps the greater one, and the hashes of both if they are equal', () => {
  expect(maxHighWaterMark(undefined, { value: '1' })).toEqual({ value: '1' })
  expect(maxHighWaterMark({ value: '10', hashes: ['a'] }, { value: '9', hashes: ['b'] })).toEqual({
    value: '10',
    hashes: ['a'],
  })
  expect(maxHighWaterMark({ value: '10', hashes: ['a'] }, { value: '10.0', hashes: ['b', 'b'] })).toEqual({
    value: '10',
    hashes: ['a', 'b', 'b'],
  })
  expect(maxHighWaterMark({ value: '10' }, { value: '10' })).toEqual({ value: '10' })
})
