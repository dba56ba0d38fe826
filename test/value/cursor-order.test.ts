import { describe, expect, test } from '@jest/globals'
import { maxHighWaterMark } from '../../src/model/high-water-mark.ts'
import { compareCursors, cursorKind, parseInstant } from '../../src/value/cursor-order.ts'

describe('an instant', () => {
  test.each<[string, number, string]>([
    ['1970-01-01T00:00:00Z', 0, ''],
    ['1970-01-02T01:02:03Z', 90_123, ''],
    ['1969-12-31T23:59:59.5Z', -1, '5'],
    ['2024-02-29T00:00:00.000Z', 1_709_164_800, ''],
    ['2024-02-29T00:00:00.1230Z', 1_709_164_800, '123'],
    ['2024-02-29T02:00:00+02:00', 1_709_164_800, ''],
    ['2024-02-28 22:30:00.50-0130', 1_709_164_800, '5'],
    ['2024-02-29', 1_709_164_800, ''],
    ['2024-02-29T00:00', 1_709_164_800, ''],
    ['2024-02-29T00:00:00', 1_709_164_800, ''],
    ['2024-02-29T00:00:00,25Z', 1_709_164_800, '25'],
    ['2024-02-28T24:00:00Z', 1_709_164_800, ''],
    ['2016-12-31T23:59:60Z', 1_483_228_800, ''],
    ['2024-02-29t00:00:00z', 1_709_164_800, ''],
  ])('%s is read with every digit', (text, seconds, fraction) => {
    expect(parseInstant(text)).toEqual({ seconds, fraction })
  })

  test.each([
    '',
    'now',
    '2024',
    '2024-13-01',
    '2024-02-30',
    '2023-02-29T00:00:00Z',
    '2024-01-01T25:00:00Z',
    '2024-01-01T00:60:00Z',
    '2024-01-01T00:00:61Z',
    '2024-01-01T00:00:00.Z',
    '2024-01-01T00:00:00.1x3Z',
    '2024-01-01T0x:00:00Z',
    '20240101T000000Z',
    '0000-00-00',
  ])('%j is none', (text) => {
    expect(parseInstant(text)).toBeUndefined()
  })

  test('is the same whichever way it is read', () => {
    for (let at = Date.UTC(1999, 11, 30); at < Date.UTC(2030, 0, 1); at += 86_400_000 * 13.37) {
      const text = new Date(at).toISOString()
      expect(parseInstant(text)).toEqual(parseInstant(text.replace('T', ' ')))
      expect(parseInstant(text)!.seconds).toBe(Math.floor(Date.parse(text) / 1_000))
    }
  })
})

test('cursors are compared by kind', () => {
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

test('of two highs the later stays, of equal ones the hashes of both', () => {
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
