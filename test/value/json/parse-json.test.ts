import { describe, expect, test } from '@jest/globals'
import { parseJson } from '../../../src/value/json/parse-json.ts'
import { Decimal } from '../../../src/value/decimal.ts'

describe('a number that a double would change keeps every digit', () => {
  test.each(
    [
      ['9007199254740993', 9007199254740993n],
      ['-9223372036854775808', -9223372036854775808n],
      ['123456789012345678901234567890', 123456789012345678901234567890n],
      ['0.12345678901234567890', new Decimal('0.12345678901234567890')],
      ['1234567.12345678901', new Decimal('1234567.12345678901')],
      ['-1.2345678901234567e-5', new Decimal('-1.2345678901234567e-5')],
      ['0.1000000000000000055511151231257827', new Decimal('0.1000000000000000055511151231257827')],
      ['1.00000000000000000e999', new Decimal('1.00000000000000000e999')],
    ].map(([text, value]) => ({ text: String(text), value })),
  )('$text', ({ text, value }) => {
    expect(parseJson(`{"n":${text}}`)).toEqual({ n: value })
    expect(parseJson(Buffer.from(`[1,${text}, 2]`))).toEqual([1, value, 2])
    expect(parseJson(text)).toEqual(value)
  })
})

describe('a number that survives stays a number', () => {
  test.each([
    '1',
    '-0',
    '0.1',
    '1.10',
    '9007199254740991',
    '-9007199254740991',
    '100.00000000000000000',
    '1e21',
    '1.5E+10',
    '0.00000000000000000000',
    '123456789012345.5',
    '1.7976931348623157e308',
    '5e-324',
  ])('%s', (text) => {
    expect(parseJson(`{"n":${text}}`)).toEqual({ n: Number(text) })
  })
})

describe('a number whose exponent no double has stays exact', () => {
  test.each(['1e400', '-1e400', '1E+400', '9e308', '1e-400', '4.9e-324', '12345678e304'])('%s', (text) => {
    expect(parseJson(text)).toEqual(new Decimal(text))
    expect(parseJson(`{"a":[1,${text} ],"b":2}`)).toEqual({ a: [1, new Decimal(text)], b: 2 })
    expect(parseJson(`{"s":"1e999 ${'x'.repeat(40)}","n":${text}}`)).toHaveProperty('n', new Decimal(text))
  })
})

test('a text that looks like a number with a long exponent stays text', () => {
  const value = { hash: 'a1e400b', text: ' 1e400, ', id: '1e400' }
  expect(parseJson(JSON.stringify(value))).toEqual(value)
})

test('a long number is found at any offset of a body', () => {
  for (let before = 0; before < 40; before += 1) {
    const text = `{"${'x'.repeat(before)}":1,"n":9007199254740993}`
    expect(parseJson(Buffer.from(text))).toHaveProperty('n', 9007199254740993n)
  }
})

test('text that looks like a long number stays text', () => {
  const value = {
    slack: '1712345678.123456',
    id: '12345678901234567890',
    dashes: '----------------------------',
    text: ' 12345678901234567890, ',
  }
  expect(parseJson(JSON.stringify(value))).toEqual(value)
})

test('parseJson skips a byte order mark, and reads only the view of a larger buffer', () => {
  const bytes = Buffer.concat([
    Buffer.from('xx'),
    Buffer.from([0xef, 0xbb, 0xbf]),
    Buffer.from('{"a":1}'),
    Buffer.from('yy'),
  ])
  expect(parseJson(bytes.subarray(2, bytes.length - 2))).toEqual({ a: 1 })
  expect(parseJson(new Uint8Array(bytes.subarray(2, bytes.length - 2)))).toEqual({ a: 1 })
})

test('a member named __proto__ stays an own member', () => {
  expect(Object.hasOwn(parseJson('{"__proto__":{"n":9007199254740993}}') as object, '__proto__')).toBe(true)
})

test('parseJson throws a SyntaxError for text that is not JSON', () => {
  expect(() => parseJson('{"n":9007199254740993')).toThrow(SyntaxError)
})
