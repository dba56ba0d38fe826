import { describe, expect, test } from '@jest/globals'
import { Decimal } from '../../../src/value/decimal.ts'
import { displayJson, exactJson, keepRawText, parseStoredJson } from '../../../src/value/json/stored-json.ts'

function go(): void {}

describe('exactJson', () => {
  test('writes every digit, NUL characters and halves of surrogate pairs', () => {
    const value = { big: 2n ** 64n, decimal: new Decimal('1.10'), text: 'a\0\uD800', none: undefined }
    expect(exactJson(value)).toBe('{"big":18446744073709551616,"decimal":1.10,"text":"a\\u0000\\ud800"}')
    expect(exactJson(undefined)).toBe('null')
  })

  test('keeps all of a record that JSON can hold, and writes the rest as text or as lists', () => {
    const record: Record<string, unknown> = {
      id: 7,
      big: 2n ** 64n,
      price: new Decimal('0.12345678901234567890'),
      ratio: Number.NaN,
      limit: -Infinity,
      at: new Date(0),
      never: new Date(Number.NaN),
      tags: new Set(['a', 'b']),
      names: new Map<string, unknown>([['one', [1n, Number.NaN]]]),
      pairs: new Map([[1, 'x']]),
      bytes: new Uint8Array([0, 255]),
      run: go,
      sign: Symbol('s'),
      pattern: /a+/,
      error: new TypeError('broken'),
      wrong: new Decimal('007'),
      left: undefined,
      list: [undefined, () => 1],
    }
    record['self'] = { again: record }
    expect(exactJson(record)).toBe(
      [
        '{"id":7,"big":18446744073709551616,"price":0.12345678901234567890,"ratio":"NaN","limit":"-Infinity"',
        '"at":"1970-01-01T00:00:00.000Z","never":"Invalid Date","tags":["a","b"]',
        '"names":{"one":[1,"NaN"]},"pairs":[[1,"x"]],"bytes":"\\\\x00ff","run":"[Function: go]","sign":"Symbol(s)"',
        '"pattern":"/a+/","error":{"name":"TypeError","message":"broken"},"wrong":"007"',
        '"list":[null,"[Function: anonymous]"],"self":{"again":"[Circular]"}}',
      ].join(','),
    )
  })

  test('keeps an object that occurs twice, twice: only a cycle is cut', () => {
    const address = { city: 'Bern' }
    expect(exactJson({ from: address, to: address, f: Number.NaN })).toBe(
      '{"from":{"city":"Bern"},"to":{"city":"Bern"},"f":"NaN"}',
    )
  })

  test('keeps the other members if one of them throws when it is read', () => {
    const value = {
      id: 1,
      get broken(): never {
        throw new Error('no database')
      },
      toJSON: undefined,
    }
    expect(exactJson(value)).toBe('{"id":1,"broken":"[not readable: no database]"}')
    expect(
      exactJson({
        id: 1,
        money: {
          toJSON() {
            throw new Error('no currency')
          },
        },
      }),
    ).toBe('{"id":1,"money":"[not readable: no currency]"}')
  })

  test('keeps a value that is nested too deeply for JSON.stringify down to 500 levels', () => {
    let value: unknown = 'bottom'
    for (let level = 0; level < 100_000; level += 1) value = [value]
    const text = exactJson({ id: 1, value })
    expect(text).toContain('{"id":1,"value":[[[')
    expect(text).toContain('"[more than 500 levels deep]"')
    expect(JSON.parse(text)).toMatchObject({ id: 1 })
  })

  test('keeps a member named __proto__', () => {
    const value = JSON.parse('{"__proto__":{"a":1}}') as Record<string, unknown>
    expect(exactJson({ value, f: Number.NaN })).toBe('{"value":{"__proto__":{"a":1}},"f":"NaN"}')
  })
})

test('displayJson replaces characters that PostgreSQL cannot hold', () => {
  expect(displayJson({ text: 'a\0\uD800b', big: 2n ** 64n })).toBe(
    '{"text":"a\ufffd\ufffdb","big":18446744073709551616}',
  )
})

test('displayJson replaces such characters in names of members too, and keeps backslashes', () => {
  expect(displayJson({ 'a\0': { 'b\uD800': 1 }, c: '\\u0000', d: '😀\n' })).toBe(
    '{"a\ufffd":{"b\ufffd":1},"c":"\\\\u0000","d":"😀\\n"}',
  )
})

describe('a record whose text is no JSON', () => {
  const text = '{"id":2,"v":NaN,"big":9007199254740993}'
  const record = { id: 2, v: Number.NaN, big: 9007199254740993n }
  keepRawText(record, text)

  test('is stored as its text, alone and among others', () => {
    expect(JSON.parse(exactJson(record))).toEqual({ 'not JSON': text })
    expect(JSON.parse(exactJson([{ id: 1 }, record]))).toEqual([{ id: 1 }, { 'not JSON': text }])
  })

  test('is read with the same values, and stored as the same text again', () => {
    const read = parseStoredJson(exactJson(record))
    expect(read).toEqual(record)
    expect(exactJson(read)).toBe(exactJson(record))
    expect(parseStoredJson(exactJson([record]))).toEqual([record])
  })

  test('is not confused with a record that has a member of this name', () => {
    for (const other of [{ 'not JSON': 'oops' }, { 'not JSON': '5' }, { 'not JSON': '{}', id: 1 }, { 'not JSON': 1 }])
      expect(parseStoredJson(exactJson(other))).toEqual(other)
  })
})
