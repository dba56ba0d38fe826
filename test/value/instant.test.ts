import { describe, expect, test } from '@jest/globals'
import {
  compareInstants,
  dateText,
  fractionDigits,
  instantMs,
  isDay,
  parseInstant,
  significantFraction,
} from '../../src/value/instant.ts'

describe('parseInstant', () => {
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
    ['0099-12-31T00:00:00Z', -59_011_545_600, ''],
  ])('reads %s with every digit', (text, seconds, fraction) => {
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
  ])('returns undefined for %j', (text) => {
    expect(parseInstant(text)).toBeUndefined()
  })

  test('agrees with Date for the days of thirty years', () => {
    for (let at = Date.UTC(1999, 11, 30); at < Date.UTC(2030, 0, 1); at += 86_400_000 * 13.37) {
      const text = new Date(at).toISOString()
      expect(parseInstant(text)).toEqual(parseInstant(text.replace('T', ' ')))
      expect(parseInstant(text)!.seconds).toBe(Math.floor(Date.parse(text) / 1_000))
    }
  })
})

describe('compareInstants', () => {
  test.each([
    ['2024-01-01T00:00:00.1Z', '2024-01-01T00:00:00.09Z', 1],
    ['2024-01-01T00:00:00.10Z', '2024-01-01T00:00:00.1Z', 0],
    ['2024-01-01T00:00:00.123456Z', '2024-01-01T00:00:00.123457Z', -1],
    ['2024-01-01T01:00:00+02:00', '2023-12-31T23:00:00Z', 0],
    ['2024-01-01T00:00:00-01:00', '2024-01-01T00:30:00Z', 1],
  ])('orders %s and %s as %d', (one, other, sign) => {
    expect(Math.sign(compareInstants(parseInstant(one)!, parseInstant(other)!))).toBe(sign)
  })
})

test.each([
  ['2024-02-29T23:59:59Z', 0],
  ['2024-02-29T23:59:59.123+00:00', 3],
  ['2024-02-29t23:59:59z', 0],
  ['2023-02-29T00:00:00Z', -1],
  ['2024-01-01T24:00:00Z', -1],
  ['2024-01-01T00:00:60Z', -1],
  ['2024-01-01T00:00:00', -1],
  ['2024-01-01T00:00:00+16:00', -1],
  ['2024-01-01T00:00:00.Z', -1],
  ['2024-01-01T00:00:00Z ', -1],
  ['2024-1-1T00:00:00Z', -1],
  ['0000-01-01T00:00:00Z', -1],
  ['2024-01-01T00:00:00.5+0200', 1],
  ['2024-01-01T00:00:00+02', -1],
  ['2024-01-01T00:00:00+2:00', -1],
])('fractionDigits of %p is %d', (text, digits) => {
  expect(fractionDigits(text)).toBe(digits)
})

test.each([
  ['2024-02-29', true],
  ['2023-02-29', false],
  ['0000-01-01', false],
  ['2024-02-29T00:00:00Z', false],
  ['2024-2-29', false],
])('isDay of %p is %p', (text, expected) => {
  expect(isDay(text)).toBe(expected)
})

test.each([
  ['12:00:00.500', '5'],
  ['2024-01-01T00:00:00.000Z', ''],
  ['2024-01-01T00:00:00.1234567+02:00', '1234567'],
  ['2024-01-01', ''],
])('significantFraction of %p is %p', (text, digits) => {
  expect(significantFraction(text)).toBe(digits)
})

test('instantMs rounds down, before 1970 too', () => {
  expect(instantMs({ seconds: 1, fraction: '0019' })).toBe(1_001)
  expect(instantMs({ seconds: -1, fraction: '5' })).toBe(-500)
})

test.each([
  [new Date(0), '1970-01-01T00:00:00.000Z'],
  [new Date(8.64e15), '275760-09-13T00:00:00.000Z'],
  [new Date(-62_200_000_000_000), '0003-12-17T14:13:20.000Z BC'],
])('dateText writes %p as %p', (date, text) => {
  expect(dateText(date)).toBe(text)
})
