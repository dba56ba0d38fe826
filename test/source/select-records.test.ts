import { describe, expect, test } from '@jest/globals'
import { selectRecords } from '../../src/source/select-records.ts'

const select = (records: string | ((body: never) => never), body: unknown, optional = false): readonly unknown[] =>
  selectRecords({ records, optional }, body)

describe('the records of a body', () => {
  test('records are the body itself, the list at a path, or the list that a function returns', () => {
    expect(select('', [1])).toEqual([1])
    expect(select('results.posts', { results: { posts: [1] } })).toEqual([1])
    expect(select('@odata.value', { '@odata.value': [1] })).toEqual([1])
    expect(select('a.b.c', { a: { 'b.c': [1] } })).toEqual([1])
    expect(select(((body: { x: number[] }) => body.x) as never, { x: [1] })).toEqual([1])
  })

  test('a null in place of the records, or on the way to them, is an empty page', () => {
    for (const body of [null, { a: null }, { a: { b: null } }]) expect(select('a.b', body)).toEqual([])
    expect(select('', null)).toEqual([])
    expect(select((() => null) as never, {})).toEqual([])
  })

  test('a missing step is an empty page if the records are optional', () => {
    expect(select('a.b', {}, true)).toEqual([])
    expect(select('a.b', { a: {} }, true)).toEqual([])
    expect(select((() => undefined) as never, {}, true)).toEqual([])
  })

  test.each<[string, unknown, string]>([
    [
      'data',
      { items: [], total: 1 },
      "'data': the body has no 'data', only items, total. The body has one list: 'items'. If it may be missing, add",
    ],
    [
      'result.data',
      { result: { rows: [] } },
      "'result.data': 'result' has no 'data', only rows. The body has one list: 'result.rows'. If it may be missing",
    ],
    ['dta', { data: [], tags: [] }, "only data, tags. Did you mean 'data'? If it may"],
    ['rows', { data: { a: [], b: [] }, n: 1 }, "The body has these lists: 'data.a', 'data.b'. If it may"],
    ['data', {}, "'data': the body has no 'data', and no other member. If it may be missing, add { optional: true }"],
    ['data', [1], "'data': the body holds a list, so it has no 'data'"],
    ['a.b', { a: 'text' }, "'a.b': 'a' holds text, so it has no 'b'"],
    ['data', { data: { id: 1 } }, "'data' holds an object where a list of records was expected"],
    [
      'items',
      { items: 2, data: [] },
      "holds a number where a list of records was expected. The body has one list: 'data'",
    ],
    ['data', { data: 'none' }, "'data' holds text where a list of records was expected"],
    [
      '',
      { data: [], next: 1 },
      'the body holds an object where a list of records was expected. ' +
        "Add the path of the list; the body has data, next. Write .records('data')",
    ],
  ])('path %j fails on %j with the names that are there', (path, body, message) => {
    expect(() => select(path, body)).toThrow(message)
  })

  test('a value that is not a list fails, even if the records are optional', () => {
    expect(() => select('data', { data: { id: 1 } }, true)).toThrow('a list of records was expected')
    expect(() => select('data', [1], true)).toThrow('the body holds a list')
  })

  test('a records function that throws, or returns undefined, fails with its message or a hint', () => {
    expect(() =>
      select(() => {
        throw new TypeError('no x')
      }, {}),
    ).toThrow('the function given to .records() failed: no x')
    expect(() => select((() => undefined) as never, {})).toThrow('{ optional: true }')
  })

  test('inherited members of a body are not records', () => {
    expect(() => select('constructor', {})).toThrow("has no 'constructor'")
  })
})
