import { expect, test } from '@jest/globals'
import { Decimal } from '../../src/value/decimal.ts'
import { digest } from '../../src/value/digest.ts'

// Computed by version 0.1, whose ledgers hold such digests.
test.each<[string, unknown, digest: string, chained: string]>([
  ['a number', 1, 'a4ayc_80_OGda4BO_1o_V0', 'YMXZgA5cM8HPHObO9gN20-'],
  ['a bigint', 1n, 'dB0U33MOU6WgGacQEW9pbb', 'm_E_Y-1LvA8tt0PZ2dOEXT'],
  ['text', '1', 'ORVSwJnBAbEx_q8kxXlaah', 'g6dUXH29rSpe9Pu5UF-WMK'],
  ['null', null, 'dCNOmK_nSY-12vHzasLXis', '-moHNiEf7Qmi7pPmIQajt0'],
  ['a list', [1, [true]], 'pRz0GEspEh8fHcN7sn7zXz', 'i8VFjxqCWB5ozpR9ohwpCo'],
  ['an object', { b: 1, a: undefined, c: { e: 2, d: 1.5 } }, 'pTWlf2EK4oNQxP_Jfd3ciP', 'WxWuBQc-B0ZAgnMC4NQPXj'],
  ['a Date', new Date(5), 'SseV-KNKQwgHuuAX5Xbxsr', 'B-itl9R_OYoMLl3x7P_4JO'],
  ['a Decimal', new Decimal('1.10'), 'cUpIc6qkfoJL7XFwOVxK9D', 'aAP7uUP6ZIxUKQGQpb62qT'],
  ['undefined', undefined, '6wRdeNJzEHNIsDAMAdKbdV', '6KKiiL2iRXCuOEYRDWxve_'],
])('the digest of %s is the one that version 0.1 computed', (_, value, plain, chained) => {
  expect(digest(value)).toBe(plain)
  expect(digest(value, 'before')).toBe(chained)
})

test('objects with the same members in another order have the same digest', () => {
  expect(digest({ a: 1, b: [{ c: 2, d: 3 }] })).toBe(digest({ b: [{ d: 3, c: 2 }], a: 1 }))
})
