import { describe, expect, test } from '@jest/globals'
import { Decimal } from '../../../src/index.ts'
import { DifferentKeys } from '../../../src/source/paging/different-keys.ts'

const count = (records: readonly unknown[], fields = ['id'], expected = records.length): number | undefined => {
  const keys = new DifferentKeys(fields, expected)
  keys.add(records)
  return keys.count
}
const many = (make: (n: number) => unknown, length = 50_000): unknown[] =>
  Array.from({ length }, (_, n) => ({ id: make(n) }))

/** As a body of JSON has it. */
const exact = (value: bigint): number | bigint => (value < 2n ** 53n ? Number(value) : value)

describe('the number of different keys', () => {
  test.each<[string, (n: number) => unknown]>([
    ['numbers', (n) => n],
    ['numbers that are far apart', (n) => n * 1_048_576],
    ['numbers beyond 2^32', (n) => 2 ** 40 + n],
    ['numbers below 0', (n) => -n],
    ['texts', (n) => `cus_${n}`],
    ['bigints', (n) => 2n ** 64n + BigInt(n)],
    ['numbers, and bigints from 2^53 on', (n) => exact(2n ** 53n - 25_000n + BigInt(n))],
  ])('%s are all different, and the same once more are none', (_, make) => {
    const records = many(make)
    expect(count(records)).toBe(50_000)
    // A tenth of them is expected, so tables are added.
    expect(count([...records, ...records], ['id'], 5_000)).toBe(50_000)
  })

  test('keys of several fields differ where one field does', () => {
    const rows = [
      { a: 'ab', b: 'c' },
      { a: 'a', b: 'bc' },
      { a: 'a', b: 'bc', c: 1 },
    ]
    expect(count(rows, ['a', 'b'])).toBe(2)
    const numbers = Array.from({ length: 10_000 }, (_, n) => ({ a: n % 100, b: Math.floor(n / 100) }))
    expect(count(numbers, ['a', 'b'])).toBe(10_000)
  })

  test.each<[string, unknown[]]>([
    ['a record has no such field', [{ id: 1 }, { uid: 2 }]],
    ['a key is null', [{ id: null }]],
    ['a key is an object', [{ id: {} }]],
    ['a key is a number and another one a text', [{ id: 1 }, { id: '1' }]],
    ['a record is none', [1]],
  ])('is not known where %s', (_, records) => {
    expect(count(records)).toBeUndefined()
  })

  test('is not known of more keys than are kept', () => {
    const keys = new DifferentKeys(['id'], 10, 1_000)
    keys.add(many((n) => n, 1_000))
    expect(keys.count).toBe(1_000)
    keys.add([{ id: 1_000 }])
    expect(keys.count).toBeUndefined()
  })

  test('a number and a bigint of one value are one key', () => {
    expect(count([{ id: 1 }, { id: 1n }, { id: 1e21 }, { id: 10n ** 21n }, { id: 1.5 }])).toBe(3)
  })

  test('decimals count by their text', () => {
    expect(count([{ id: new Decimal('1.10') }, { id: new Decimal('1.1') }, { id: new Decimal('1.10') }])).toBe(2)
  })
})
