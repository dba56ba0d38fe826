import { isDeepStrictEqual } from 'node:util'
import { describe, expect, test } from '@jest/globals'
import { parseInParts } from '../../../src/value/json/parse-in-parts.ts'
import { parseJson } from '../../../src/value/json/parse-json.ts'

const record = (id: number, more: object = {}): object => ({
  id,
  title: `record ${id} "},{"id": [{ ünï 日本 🚀`,
  tags: ['a', 'b'],
  user: { id, login: `u${id}` },
  ...more,
})
const records = (more?: (id: number) => object): object[] =>
  Array.from({ length: 2_000 }, (_, id) => record(id, more?.(id)))

/** Returns the value that is parsed in parts, and the number of parsed texts. */
function inParts(text: string): { value: unknown; parts: number } {
  const body = Buffer.from(text)
  let parts = 0
  const value = parseInParts(body, (bytes) => {
    parts += 1
    return JSON.parse(bytes.toString())
  })
  expect(body.toString() === text).toBe(true)
  return { value, parts }
}

/** Returns the result of a function, or the name of the error it throws. */
function outcome(work: () => unknown): unknown {
  try {
    return work()
  } catch (error) {
    return (error as Error).name
  }
}

describe('parsing a large body in parts', () => {
  test.each<[string, object]>([
    ['the list is the body', records()],
    ['the list is a member', { next: 'x', data: records(), total: 2_000 }],
    [
      'the list lies deeper, behind other lists and objects',
      { meta: { pages: [1, 2], of: [] }, data: { deep: [[], { items: records() }] }.deep[1]!, end: [{ id: 1 }] },
    ],
    [
      'records hold lists of objects that begin in another way',
      {
        data: records((id) => ({
          labels: [
            { name: 'a', id },
            { name: 'b', id },
          ],
        })),
      },
    ],
  ])('has the same result as parsing it whole: %s', (_, body) => {
    const { value, parts } = inParts(JSON.stringify(body))
    expect(value).toStrictEqual(body)
    expect(parts).toBeGreaterThan(3)
  })

  test.each<[string, string]>([
    ['it is written with blanks', JSON.stringify({ data: records() }, undefined, 1)],
    ['it is small', JSON.stringify(records().slice(0, 100))],
    [
      'its records hold lists of objects that begin as they do',
      JSON.stringify({
        data: records((id) => ({
          labels: [
            { id: 1, of: id },
            { id: 2, of: id },
            { id: 3, of: id },
          ],
        })),
      }),
    ],
    ['its first list of objects is a small one', JSON.stringify({ included: [{ id: 1 }], data: records() })],
    ['it has broken off', JSON.stringify({ data: records() }).slice(0, -200)],
    ['two lists stand beside each other', JSON.stringify({ data: records() }).slice(0, -1) + ',"data":[{"id":7}]}'],
  ])('loses nothing if %s', (_, text) => {
    const { value } = inParts(text)
    expect(value === undefined || isDeepStrictEqual(value, JSON.parse(text))).toBe(true)
    expect(outcome(() => parseJson(text))).toStrictEqual(outcome(() => JSON.parse(text) as unknown))
  })

  test('keeps a number that a double would change in any part', () => {
    for (const at of [0, 1, 777, 1_998, 1_999]) {
      const text = JSON.stringify({ data: records((id) => (id === at ? { long: '#' } : {})) }).replace(
        '"#"',
        '12345678901234567890',
      )
      expect((parseJson(text) as { data: { long?: bigint }[] }).data[at]!.long).toBe(12_345_678_901_234_567_890n)
    }
  })
})
