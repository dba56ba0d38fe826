import { describe, expect, test } from '@jest/globals'
import { selectRecords } from '../../src/source/select-records.ts'

const select = (records: string | ((body: never) => never), body: unknown, optional = false): readonly unknown[] =>
  selectRecords({ records, optional }, body)

describe('the records of a body', () => {
  test('are the body itself, what a path leads to, or what a function finds', () => {
    expect(select('', [1])).toEqual([1])
    expect(select('results.posts', { results: { posts: [1] } })).toEqual([1])
    expect(select('@odata.value', { '@odata.value': [1] })).toEqual([1])
    expect(select('a.b.c', { a: { 'b.c': [1] } })).toEqual([1])
    expect(select(((body: { x: number[] }) => body.x) as never, { x: [1] })).toEqual([1])
  })

  test('are none where null stands, there or on the way', () => {
    for (const body of [null, { a: null }, { a: { b: null } }]) expect(select('a.b', body)).toEqual([])
    expect(select('', null)).toEqual([])
    expect(select((() => null) as never, {})).toEqual([])
  })

  test('are none where a step is missing, if that was allowed', () => {
    expect(select('a.b', {}, true)).toEqual([])
    expect(select('a.b', { a: {} }, true)).toEqual([])
    expect(select((() => undefined) as never, {}, true)).toEqual([])
  })

  test.each<[string, unknown, string]>([
    [
      'data',
      { items: [], total: 1 },
      "'data': the body has no 'data', only items, total; where it may be missing, say { optional: true }",
    ],
    [
      'result.data',
      { result: { rows: [] } },
      "'result.data': 'result' has no 'data', only rows; where it may be missing, say { optional: true }",
    ],
    ['data', {}, "'data': the body has no 'data', only nothing; where it may be missing, say { optional: true }"],
    ['data', [1], "'data': the body holds a list, so nothing stands at 'data'"],
    ['a.b', { a: 'text' }, "'a.b': 'a' holds text, so nothing stands at 'b'"],
    ['data', { data: { id: 1 } }, "'data' holds an object where a list of records was expected"],
    ['data', { data: 'none' }, "'data' holds text where a list of records was expected"],
    [
      '',
      { data: [], next: 1 },
      'the body holds an object where a list of records was expected: give the path to it; there are data, next',
    ],
  ])('%j fails at %j, naming what was there', (path, body, message) => {
    expect(() => select(path, body)).toThrow(message)
  })

  test('fail where no list is found, be they optional', () => {
    expect(() => select('data', { data: { id: 1 } }, true)).toThrow('a list of records was expected')
    expect(() => select('data', [1], true)).toThrow('the body holds a list')
  })

  test("fail with the function's own message, and where it finds nothing", () => {
    expect(() =>
      select(() => {
        throw new TypeError('no x')
      }, {}),
    ).toThrow('the function given to .records() failed: no x')
    expect(() => select((() => undefined) as never, {})).toThrow('{ optional: true }')
  })

  test('are not taken from what a body inherits', () => {
    expect(() => select('constructor', {})).toThrow("has no 'constructor'")
  })
})
