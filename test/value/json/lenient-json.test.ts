import { describe, expect, test } from '@jest/globals'
import { Decimal } from '../../../src/value/decimal.ts'
import { parseLenientJson } from '../../../src/value/json/lenient-json.ts'

describe('parseLenientJson', () => {
  test('returns what JSON.parse returns for every text that is JSON', () => {
    const texts = [
      '{"a":[1,-2.5,1e3,true,false,null,{"b":""}],"c":{}}',
      ' [ ] ',
      '"a\\u0000\\ud800\\n\\"\\\\"',
      '[[[[]]],"]","}"]',
      '{"a":1,"a":2}',
      '-0',
      '0',
    ]
    for (const text of texts) {
      const { value, faults } = parseLenientJson(text)
      expect(value).toEqual(JSON.parse(text))
      expect(faults).toEqual([])
    }
  })

  test('keeps every digit of a number', () => {
    expect(parseLenientJson('[9007199254740993,0.10000000000000000555,1e400,1e-400]').value).toEqual([
      9007199254740993n,
      new Decimal('0.10000000000000000555'),
      new Decimal('1e400'),
      new Decimal('1e-400'),
    ])
  })

  test('makes a member named __proto__ an own member', () => {
    const { value } = parseLenientJson('{"__proto__":{"a":NaN}}')
    expect(Object.hasOwn(value as object, '__proto__')).toBe(true)
  })

  test('accepts NaN and the infinities, and names their places', () => {
    const { value, faults } = parseLenientJson(
      '{"items":[{"id":1,"v":NaN},{"v":[-Infinity,Infinity]},{"v":nan},{"v":-inf}]}',
    )
    expect(value).toEqual({ items: [{ id: 1, v: NaN }, { v: [-Infinity, Infinity] }, { v: NaN }, { v: -Infinity }] })
    expect(faults.map(({ path, problem }) => `${path} ${problem}`)).toEqual([
      'items.0.v holds NaN, which JSON does not know',
      'items.1.v.0 holds -Infinity, which JSON does not know',
      'items.1.v.1 holds Infinity, which JSON does not know',
      'items.2.v holds nan, which JSON does not know',
      'items.3.v holds -inf, which JSON does not know',
    ])
  })

  test('returns the holders of a value and the text of each', () => {
    const text = '{"items": [ {"id":1}, {"id":2, "v": {"w":NaN} } ]}'
    const { value, faults, textOf } = parseLenientJson(text)
    const { items } = value as { items: [object, { v: object }] }
    expect(faults[0]?.holders).toEqual([value, items, items[1], items[1].v])
    expect(textOf(items[1])).toBe('{"id":2, "v": {"w":NaN} }')
    expect(textOf(items[0])).toBeUndefined()
  })

  test('accepts control characters in a text', () => {
    expect(parseLenientJson('{"a":"one\ntwo\0"}')).toMatchObject({ value: { a: 'one\ntwo\0' }, faults: [] })
  })

  test('finds bytes that are not UTF-8 in texts and in names', () => {
    const { value, faults } = parseLenientJson('[{"v":"b\udcff"},{"n\udce9":1}]')
    expect(value).toEqual([{ v: 'b\udcff' }, { 'n\udce9': 1 }])
    expect(faults.map(({ path, problem, kind }) => [kind, `${path} ${problem}`])).toEqual([
      ['text', '0.v holds the byte 0xff, which is not UTF-8'],
      ['text', '1 has a member whose name holds the byte 0xe9, which is not UTF-8'],
    ])
  })

  test('does not let a wrong byte complete an escape that stands before it', () => {
    const { value } = parseLenientJson('["\\ud83d\udcff"]')
    expect((value as string[])[0]?.isWellFormed()).toBe(false)
  })

  test.each([
    '',
    ' ',
    '{',
    '{"items":[{"id":1,"upda',
    '{"a":1',
    '[1,]',
    '[1 2]',
    '{a:1}',
    '{"a" 1}',
    '[1]]',
    '<html>',
    'NaN',
    'OK',
    '[undefined]',
    '[01]',
    '[.5]',
    '[+1]',
    '["\\x41"]',
  ])('throws a SyntaxError for %j', (text) => {
    expect(() => parseLenientJson(text)).toThrow(SyntaxError)
  })

  test('what is nested more than 1,000 levels deep is left out, with one fault', () => {
    const deep = `${'['.repeat(100_000)}"]"${']'.repeat(100_000)}`
    const { value, faults, textOf } = parseLenientJson(`[{"id":1},{"id":2,"v":${deep}},{"id":3}]`)
    const [first, second, third] = value as object[]
    expect([first, third]).toEqual([{ id: 1 }, { id: 3 }])
    expect(faults).toMatchObject([
      { kind: 'depth', path: '1.v.0.0.0.…', problem: 'is nested more than 1,000 levels deep' },
    ])
    expect(faults[0]!.holders).toContain(second)
    expect(textOf(second!)).toBe(`{"id":2,"v":${deep}}`)
    expect(() => parseLenientJson('['.repeat(100_000))).toThrow(SyntaxError)
  })
})
