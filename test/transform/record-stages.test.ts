import { describe, expect, test } from '@jest/globals'
import { z } from 'zod'
import { Decimal, source } from '../../src/index.ts'
import type { StandardSchema } from '../../src/model/recipe.ts'
import { readPages, recordsOf } from '../source/read-pages.ts'
import { pagesOf, read, rejectsOf, row, rowsOf } from './rows.ts'

describe('validate', () => {
  test('validate rejects with the reasons and paths of the schema, and keeps the values of the schema', async () => {
    const schema = z.object({
      id: z.number(),
      at: z.string().transform((text) => text.length),
      nested: z.object({ n: z.number() }),
    })
    const pages = await readPages(
      rowsOf<unknown>(
        { id: 1, at: 'abc', nested: { n: 1 }, extra: 1 },
        { id: 'x', at: 'abc', nested: { n: 'y' } },
        null,
      ).validate(schema),
    )
    expect(recordsOf(pages)).toEqual([{ id: 1, at: 3, nested: { n: 1 } }])
    expect(rejectsOf(pages)).toEqual([
      {
        stage: 'validate',
        reason: expect.stringMatching(/^id: .+; nested\.n: /),
        record: { id: 'x', at: 'abc', nested: { n: 'y' } },
      },
      { stage: 'validate', reason: expect.any(String), record: null },
    ])
  })

  test('validate accepts any Standard Schema, also an asynchronous one', async () => {
    const schema: StandardSchema<number> = {
      '~standard': {
        vendor: 'own',
        validate: async (value) =>
          value === 2 ? { issues: [{ message: 'no', path: [{ key: 'a' }, 0] }] } : { value: Number(value) },
      },
    }
    const pages = await readPages(rowsOf(1, 2, 3).validate(schema))
    expect({ records: recordsOf(pages), rejects: rejectsOf(pages) }).toEqual({
      records: [1, 3],
      rejects: [{ stage: 'validate', reason: 'a.0: no', record: 2 }],
    })
  })
})

describe('dedupe', () => {
  test('dedupe filters records whose fields are equal, over all pages, and counts them as duplicates', async () => {
    const pages = await readPages(
      source<{ a: unknown; b?: number }>(async function* () {
        yield {
          records: [
            { a: 1, b: 1 },
            { a: 1, b: 2 },
            { a: 1, b: 1 },
          ],
        }
        yield { records: [{ a: 1, b: 1 }, { a: '1', b: 1 }, { a: 1n, b: 1 }, { a: null }, { a: undefined }] }
      }).dedupe('a', 'b'),
    )
    expect(recordsOf(pages)).toHaveLength(6)
    expect(pages.map(({ counts }) => counts.duplicate)).toEqual([1, 1, 0])
  })

  test('dedupe remembers the last `last` keys', async () => {
    expect(await read(rowsOf(...[1, 2, 1, 3, 1, 2].map((id) => ({ id }))).dedupe('id', { last: 2 }))).toEqual([
      { id: 1 },
      { id: 2 },
      { id: 3 },
      { id: 2 },
    ])
  })
})

describe('rename, pick and omit', () => {
  test('rename, pick and omit run in the order in which they are written, for every list of field names', async () => {
    const rows = rowsOf<{ a: number; b?: number; c: number }>(
      { a: 1, b: 2, c: 3 },
      { c: 3, a: 1 },
      { a: 1, b: 2, c: 3 },
    )
    expect(await read(rows.rename('a', 'x').omit('c'))).toEqual([{ x: 1, b: 2 }, { x: 1 }, { x: 1, b: 2 }])
    expect(await read(rows.pick('a', 'c').rename('c', 'b').pick('b'))).toEqual([{ b: 3 }, { b: 3 }, { b: 3 }])
    expect(
      await read(
        rows
          .map((row) => ({ ...row, d: 4 }))
          .omit('a')
          .rename('d', 'a')
          .filter(({ a }) => a === 4)
          .omit('b'),
      ),
    ).toEqual([
      { c: 3, a: 4 },
      { c: 3, a: 4 },
      { c: 3, a: 4 },
    ])
  })

  test('rename rejects a record that would lose a field, and a record without named fields', async () => {
    const pages = await readPages(
      rowsOf<{ a?: number; b?: number }>({ a: 1, b: 2 }, { a: 1 }, { b: 2 }, null as never).rename('a', 'b'),
    )
    expect(recordsOf(pages)).toEqual([{ b: 1 }, { b: 2 }])
    expect(rejectsOf(pages)).toMatchObject([
      { stage: 'rename', reason: "the record has both 'a' and 'b': renaming would lose one of them" },
      { stage: 'rename', reason: 'this is not a record with named fields' },
    ])
    const picked = await readPages(rowsOf({ a: 1, b: 2 }).pick('a', 'b').rename('a', 'b'))
    expect(rejectsOf(picked)).toMatchObject([{ stage: 'rename', record: { a: 1, b: 2 } }])
  })

  test('rename, pick and omit keep a field with the name __proto__', async () => {
    const record = JSON.parse('{"__proto__":{"x":1},"a":2,"b":3}') as { a: number; b: number }
    const [made] = await read(rowsOf(record).omit('b'))
    expect(Object.entries(made as object)).toEqual([
      ['__proto__', { x: 1 }],
      ['a', 2],
    ])
    expect((made as { x?: unknown }).x).toBeUndefined()
  })

  test('rename, pick and omit handle records that all have different field names', async () => {
    const rows = rowsOf(...Array.from({ length: 1_200 }, (_, id) => ({ id, [`k${id}`]: id })))
    expect(await read(rows.omit('id'))).toEqual(Array.from({ length: 1_200 }, (_, id) => ({ [`k${id}`]: id })))
  })
})

describe('offload', () => {
  test('offload calls a module on worker threads, and rejects the records on which it throws', async () => {
    const pages = await readPages(
      pagesOf(4)
        .pick('type')
        .offload<typeof import('./score.ts')>(new URL('score.ts', import.meta.url)),
    )
    expect(recordsOf(pages)).toEqual([
      { type: 'x', score: 1 },
      { type: 'xx', score: 2 },
      { type: 'x', score: 1 },
    ])
    expect(rejectsOf(pages)).toMatchObject([{ stage: 'offload', reason: 'no type to score', record: row(3) }])
  })

  test('offload rejects a record that a copy to a thread would change', async () => {
    const pages = await readPages(
      rowsOf({ type: 'x', nested: { price: new Decimal('1.00000000000000000001') } }).offload<
        typeof import('./score.ts')
      >(new URL('score.ts', import.meta.url)),
    )
    expect(rejectsOf(pages)).toMatchObject([{ reason: expect.stringContaining("'nested.price' is a decimal") }])
  })
})
