// What leads on by an object of parameters, and ends by a condition.
import { describe, expect, test } from '@jest/globals'
import { byContinue, byCursor, byPage, inHeader } from '../../../src/index.ts'
import { all, ids, posts, walk, type Walk } from './walk.ts'

const read = async (paging: unknown, bodies: readonly object[]): Promise<Walk> => {
  let index = 0
  return walk(() => ({ json: { data: posts(index + 1), ...bodies[index++] } }), paging)
}

describe('byContinue', () => {
  test('sends all members of the object with the first request, and none of the continuation before', async () => {
    const answers = [
      { data: posts(1), continue: { pcontinue: 'p|2', limit: 3, continue: '||a' } },
      { data: posts(2), continue: { gcontinue: 'g', continue: 'g||' } },
      { data: posts(3) },
    ]
    let index = 0
    const { requested, records } = await walk(() => ({ json: answers[index++] }), byContinue('continue'), {
      query: { a: 1, limit: 5 },
    })
    // A list that starts anew begins at its first record: `pcontinue` would skip it.
    expect(requested).toEqual([
      '/posts?a=1&limit=5',
      '/posts?a=1&limit=3&pcontinue=p|2&continue=||a',
      '/posts?a=1&limit=5&gcontinue=g&continue=g||',
    ])
    expect(ids(records)).toEqual(all.slice(0, 15))
  })

  test('what is no object of parameters is an error, and so is a way on of another name', async () => {
    const { error } = await walk(() => ({ json: { data: posts(1), continue: 'p' } }), byContinue('continue'))
    expect(error).toMatchObject({ message: expect.stringContaining("'continue' should be an object whose members") })
    const nested = await walk(() => ({ json: { data: posts(1), continue: { a: {} } } }), byContinue('continue'))
    expect(nested.error).toMatchObject({ message: expect.stringContaining("'continue'.a should be a parameter") })
  })
})

describe('conditions as `more` and `done`', () => {
  test.each<[string, unknown, object[]]>([
    ['exists', byPage('page', { more: { at: 'next', exists: true } }), [{ next: 'x' }, { next: null }]],
    ['does not exist', byPage('page', { done: { at: 'next', exists: false } }), [{ next: 'x' }, {}]],
    ['is a text', byPage('page', { done: { at: 'state', is: 'END' } }), [{ state: 'more' }, { state: 'END' }]],
    ['is one of several', byPage('page', { more: { at: 'n', is: [1, 2] } }), [{ n: 2 }, { n: 3 }]],
    [
      'of a cursor',
      byCursor('after', 'c', { more: { at: 'next', exists: true } }),
      [{ c: 'a', next: 'x' }, { c: 'b' }],
    ],
  ])('%s', async (_, paging, bodies) => {
    const { requested, error } = await read(paging, bodies)
    expect({ pages: requested.length, error }).toEqual({ pages: 2, error: undefined })
  })

  test.each([
    ['true', true, "'more' holds text, and the condition waits for it = true"],
    [1, '1', `'more' holds a number, and the condition waits for it = "1"`],
  ])('a value of another kind, %j for %j, is an error, and not the end', async (more, is, message) => {
    const { error } = await read(byPage('page', { more: { at: 'more', is } }), [{ more }, { more }])
    expect(error).toMatchObject({ message: expect.stringContaining(message) })
    const inText = { at: inHeader('x-more'), is: true } as const
    expect(() => byPage('page', { more: inText })).toThrow("a header is text, so it is never true. Write is: 'true'")
  })

  test('a value that is missing says nothing, and a condition says what it waits for', async () => {
    const { error } = await read(byPage('page', { done: { at: 'state', is: 'END' } }), [{ stat: 'END' }])
    expect(error).toMatchObject({
      message: expect.stringContaining("'state' should say whether this is the last page"),
    })
    expect(() => byPage('page', { done: { at: 'a' } as never })).toThrow(/give `is` with a value, or `exists`/)
    expect(() => byPage('page', { done: { at: 'a', is: 1, exists: true } as never })).toThrow(/give `is` with a value/)
    expect(() => byPage('page', { more: { at: 'a', has: 1 } as never })).toThrow(/there is no option "has"/)
  })
})
