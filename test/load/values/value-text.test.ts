import { describe, expect, test } from '@jest/globals'
import { columnType } from '../../../src/load/values/column-type.ts'
import { TypeMismatch } from '../../../src/load/values/type-mismatch.ts'
import { valueText } from '../../../src/load/values/value-text.ts'
import { Decimal } from '../../../src/value/decimal.ts'
import { encoded } from './encoded.ts'

const rounded = (value: unknown, type: string): string =>
  valueText(value, columnType(type), { round: true, declared: true })

describe('valueText', () => {
  test.each<[string, unknown, string]>([
    ['bigint', 2 ** 53, '9007199254740992'],
    ['bigint', 2n ** 63n - 1n, '9223372036854775807'],
    ['bigint', '12', '12'],
    ['numeric', new Decimal('1.50'), '1.50'],
    ['numeric', 1e21, '1e+21'],
    ['real', 0.1, '0.1'],
    ['double precision', NaN, 'NaN'],
    ['text', new Date(0), '1970-01-01T00:00:00.000Z'],
    ['timestamp with time zone', new Date(8.64e15), '275760-09-13T00:00:00.000Z'],
    ['timestamp with time zone', new Date(-62_200_000_000_000), '0003-12-17T14:13:20.000Z BC'],
    ['timestamp without time zone', '2024-01-01T00:00:00Z', '2024-01-01T00:00:00Z'],
    ['timestamp without time zone', new Date(0), '1970-01-01T00:00:00.000'],
    ['text[]', ['a', 'b"c\\', null, ''], String.raw`{"a","b\"c\\",NULL,""}`],
    [
      'integer[]',
      [
        [1, 2],
        [3, 4],
      ],
      '{{"1","2"},{"3","4"}}',
    ],
    ['bytea', new Uint8Array([0, 255]), String.raw`\x00ff`],
    ['date', '2024-01-01T00:00:00Z', '2024-01-01'],
    ['boolean', 'true', 'true'],
    ['jsonb', { a: [2n ** 64n, new Decimal('1.10'), 1.5] }, '{"a":[18446744073709551616,1.10,1.5]}'],
  ])('for %s writes %p as %s', (type, value, expected) => {
    expect(encoded(value, type)).toBe(expected)
  })

  test.each<[string, unknown]>([
    ['bigint', 2n ** 63n],
    ['bigint', 1.5],
    ['bigint', '012'],
    ['bigint', '-0'],
    ['bigint', true],
    ['numeric', NaN],
    ['numeric', '1e5'],
    ['numeric', Infinity],
    ['timestamp without time zone', '2024-01-01T00:00:00+02:00'],
    ['timestamp with time zone', '2024-01-01 00:00:00'],
    ['timestamp with time zone', 1_700_000_000],
    ['timestamp with time zone', new Date(NaN)],
    ['date', '2024-01-01T10:00:00Z'],
    ['boolean', 'yes'],
    ['boolean', 1],
    ['bytea', 'abc'],
    ['double precision', '0.1000000000000000055511151231257827'],
    ['real', 16_777_217],
    ['jsonb', new Map()],
    ['jsonb', { a: NaN }],
    ['jsonb', { a: '\0' }],
    ['jsonb', { 'a\0': 1 }],
    ['jsonb', '\uD83D'],
    ['jsonb', [new Date(NaN)]],
    ['jsonb', { f: () => 1 }],
    ['varchar(2)', '😀😀😀'],
    ['integer[]', [1.5]],
    ['time(0)', '10:00:00.5'],
  ])('for %s refuses %p', (type, value) => {
    expect(encoded(value, type)).toBeUndefined()
  })

  test.each<[string, unknown, string]>([
    ['numeric(5,2)', 1_000, '1000 is out of range of numeric(5,2)'],
    ['numeric(5,2)', new Decimal('1000.001'), '1000.001 is out of range of numeric(5,2)'],
    ['numeric(5,2)', 0.125, '0.125 does not fit numeric(5,2) without being rounded'],
    ['smallint', 40_000, '40000 is out of range of smallint'],
    ['bigint', 2n ** 63n, '9223372036854775808 is out of range of bigint'],
    ['real', 1e300, '1e+300 is out of range of real'],
    ['real', 16_777_217, '16777217 does not fit real without being rounded'],
    ['double precision', new Decimal('1e999'), '1e999 is out of range of double precision'],
  ])('for %s says of %p: %s', (type, value, reason) => {
    expect(() => valueText(value, columnType(type), { round: false, declared: true })).toThrow(reason)
  })

  test('with round accepts values that the column rounds or cuts', () => {
    expect(rounded(1.255, 'numeric(12,2)')).toBe('1.255')
    expect(rounded('abcd', 'varchar(3)')).toBe('abc')
    expect(rounded('2024-01-01T00:00:00.1234567Z', 'timestamp with time zone')).toBe('2024-01-01T00:00:00.1234567Z')
    expect(rounded('2024-01-01T10:00:00Z', 'date')).toBe('2024-01-01')
    expect(rounded(16_777_217, 'real')).toBe('16777217')
  })

  test('refuses a value that contains itself', () => {
    const loop: { self?: unknown } = {}
    loop.self = loop
    expect(() => valueText(loop, columnType('jsonb'), { round: false, declared: false })).toThrow(TypeMismatch)
  })
})
