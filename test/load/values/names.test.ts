import { describe, expect, test } from '@jest/globals'
import { columnName, ColumnNames } from '../../../src/load/shape/column-name.ts'
import { columnType } from '../../../src/load/values/column-type.ts'
import { compareDecimals } from '../../../src/value/decimal-text.ts'
import { compareInstants, fractionDigits } from '../../../src/value/instant.ts'
import { versionOrder } from '../../../src/load/encode/version-order.ts'
import { SchemaError } from '../../../src/model/errors.ts'

describe('column name', () => {
  test.each([
    ['id', 'id'],
    ['userName', 'user_name'],
    ['HTMLParser', 'html_parser'],
    ['userID', 'user_id'],
    ['created-at', 'created_at'],
    ['a b', 'a_b'],
    ['@odata.nextLink', '_odata_next_link'],
    ['123BaNaNa', '_123_ba_na_na'],
    ['event-.!:*<>value', 'event_value'],
    ['Größe', 'größe'],
    ['__typename', '__typename'],
    ['xmin', 'xmin_'],
    ['', '_'],
  ])('of %p is %p', (field, name) => {
    expect(columnName(field)).toBe(name)
  })

  test('longer than 63 bytes is cut at a character and told apart by a hash', () => {
    const [one, other] = [columnName(`${'ä'.repeat(60)}1`), columnName(`${'ä'.repeat(60)}2`)]
    expect(one).not.toBe(other)
    for (const name of [one, other]) {
      expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63)
      expect(name.isWellFormed()).toBe(true)
    }
  })

  test.each([
    ['+1', '-1'],
    ['aB', 'a_b'],
    ['A-B', 'a b'],
  ])('of %p and %p would be one: an error that names both', (one, other) => {
    const names = new ColumnNames('shop.orders')
    names.of(one)
    expect(() => names.of(other)).toThrow(SchemaError)
    expect(() => names.of(other)).toThrow(`the fields ${JSON.stringify(one)} and ${JSON.stringify(other)}`)
    expect(names.of(one)).toBe(columnName(one))
  })
})

describe('order', () => {
  test.each([
    ['2024-01-01T00:00:00.1Z', '2024-01-01T00:00:00.09Z', 1],
    ['2024-01-01T00:00:00.10Z', '2024-01-01T00:00:00.1Z', 0],
    ['2024-01-01T00:00:00.123456Z', '2024-01-01T00:00:00.123457Z', -1],
    ['2024-01-01T01:00:00+02:00', '2023-12-31T23:00:00Z', 0],
    ['2024-01-01T00:00:00-01:00', '2024-01-01T00:30:00Z', 1],
  ])('of instants %s and %s is %d', (one, other, sign) => {
    expect(Math.sign(compareInstants(one, other))).toBe(sign)
  })

  test.each([
    ['10', '9', 1],
    ['-10', '-9', -1],
    ['1.50', '1.5', 0],
    ['0', '-0.0', 0],
    ['1e3', '999.9', 1],
    ['-1', '1', -1],
    ['0.001', '0', 1],
    ['123456789012345678901', '123456789012345678900', 1],
  ])('of numbers %s and %s is %d', (one, other, sign) => {
    expect(compareDecimals(one, other)).toBe(sign)
  })

  test('of texts is that of their bytes, and null is older than everything', () => {
    const order = versionOrder(columnType('text'), 'v')
    expect(Math.sign(order('\u{1F600}', '\uFFFD'))).toBe(1)
    expect(order('\\N', 'a')).toBe(-1)
    expect(order('a', '\\N')).toBe(1)
    expect(order('\\N', '\\N')).toBe(0)
    expect(() => versionOrder(columnType('jsonb'), 'v')).toThrow(SchemaError)
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
  ['2024-01-01T00:00:00+0200', -1],
])('%p has %d digits behind the second, if it is a time at all', (text, digits) => {
  expect(fractionDigits(text)).toBe(digits)
})

test.each([
  ['numeric(12,2)', 'numeric', [12, 2]],
  ['character varying(20)', 'varchar', [20]],
  ['timestamp(3) with time zone', 'timestamptz', [3]],
  ['timestamptz(3)', 'timestamptz', [3]],
  ['bigint', 'int8', []],
  ['numeric(3, -2)', 'numeric', [3, -2]],
  ['character', 'bpchar', [1]],
  ['double precision', 'float8', []],
])('the type %s is %s with limits %p', (sql, base, limits) => {
  expect(columnType(sql)).toEqual({ sql, base, limits })
})
