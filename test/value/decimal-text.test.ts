import { describe, expect, test } from '@jest/globals'
import { Decimal } from '../../src/value/decimal.ts'
import {
  compareDecimals,
  decimalParts,
  exactNumber,
  fitsRange,
  fitsScale,
  isPlainDecimal,
  subtractDecimal,
} from '../../src/value/decimal-text.ts'

describe('compareDecimals', () => {
  test.each([
    ['10', '9', 1],
    ['-10', '-9', -1],
    ['1.50', '1.5', 0],
    ['0', '-0.0', 0],
    ['1e3', '999.9', 1],
    ['-1', '1', -1],
    ['0.001', '0', 1],
    ['123456789012345678901', '123456789012345678900', 1],
  ])('orders %s and %s as %d', (one, other, sign) => {
    expect(compareDecimals(one, other)).toBe(sign)
  })
})

test.each([
  ['-0012.3400', { negative: true, digits: '1234', exponent: -2 }],
  ['1200', { negative: false, digits: '12', exponent: 2 }],
  ['1.50E+3', { negative: false, digits: '15', exponent: 2 }],
  ['0.000', { negative: false, digits: '', exponent: 0 }],
  ['100.001', { negative: false, digits: '100001', exponent: -3 }],
])('decimalParts reads %p', (text, parts) => {
  expect(decimalParts(text)).toEqual(parts)
})

test.each(['', '-', '.5', '5.', '1e', '1e+', '+1', '1,5', '1 ', '0x10', 'NaN', '1e5x'])(
  'decimalParts returns undefined for %p',
  (text) => {
    expect(decimalParts(text)).toBeUndefined()
  },
)

test('isPlainDecimal accepts digits with sign and fraction, and no exponent', () => {
  expect(['1', '-1.50', '007', '1e5', '1.', '.5', 'x', ''].filter(isPlainDecimal)).toEqual(['1', '-1.50', '007'])
})

describe('exactNumber', () => {
  test.each<[string, unknown]>([
    ['12', 12],
    ['1.10', 1.1],
    ['1.5e3', 1_500],
    ['9007199254740993', 9007199254740993n],
    ['0.12345678901234567890', new Decimal('0.12345678901234567890')],
    ['1e999', new Decimal('1e999')],
    ['NaN', undefined],
  ])('of %p keeps every digit', (text, value) => {
    expect(exactNumber(text)).toEqual(value)
  })
})

function fits(text: string): [boolean, boolean] {
  const parts = decimalParts(text)!
  return [fitsRange(parts, 5, 2), fitsScale(parts, 2)]
}

test('a number fits numeric(5,2) by its digits before and after the point', () => {
  expect(fits('999.99')).toEqual([true, true])
  expect(fits('1000')).toEqual([false, true])
  expect(fits('0.001')).toEqual([true, false])
  expect(fits('1000.001')).toEqual([false, false])
})

test.each([
  ['10', '3', '7'],
  ['1.50', '0.25', '1.25'],
  ['1', '0.5', '0'],
  ['0', '0.5', '-1'],
  ['9007199254740993', '1', '9007199254740992'],
])('subtractDecimal: %s less %s is %s, rounded down to the digits of the first', (text, amount, left) => {
  expect(subtractDecimal(text, amount)).toBe(left)
})
