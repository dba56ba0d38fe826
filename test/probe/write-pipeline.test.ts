import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import type { Pipeline } from '../../src/define/pipeline.ts'
import { inferType } from '../../src/probe/infer-type.ts'
import { typeText } from '../../src/probe/write/write-type.ts'
import { pipelineText, writePipeline } from '../../src/probe/write-pipeline.ts'
import { Decimal } from '../../src/value/decimal.ts'
import { everything, pagings } from './everything.ts'
import { openProject } from './type-check.ts'

const text = (values: readonly unknown[]): string => typeText(inferType(values))

describe('inferType()', () => {
  test('a field that a record lacks is optional, null and other kinds make a union, lists and objects nest', () => {
    expect(
      text([
        { id: 1, note: null, tags: ['a'] },
        { id: 2n, note: 'x', at: { day: 1 } },
      ]),
    ).toBe('{\n  id: number | bigint\n  note: string | null\n  tags?: string[]\n  at?: { day: number }\n}')
    expect(text([[1, 'a', null], []])).toBe('(string | number | null)[]')
    expect(text([[]])).toBe('unknown[]')
    expect(text([new Decimal('0.1000000000000000055')])).toBe('Decimal')
    expect(text([])).toBe('unknown')
  })

  test('whole numbers that come near to 2^53, or pass it, are numbers and bigints', () => {
    expect(text([{ id: 2 ** 53 - 120, at: 1_764_345_600_000_000 }])).toBe('{ id: number | bigint; at: number }')
    expect(text([{ ids: [2n ** 62n] }])).toBe('{ ids: (number | bigint)[] }')
    expect(text([0.5, 1e15])).toBe('number')
  })

  test('an object whose names are data is a map', () => {
    expect(text([{ by: { '2025-01-01': 1, '2025-01-02': null } }])).toBe('{ by: Record<string, number | null> }')
    const properties = Array.from({ length: 20 }, (_, n) => ({ of: { [`key ${n}`]: n, [`other ${n}`]: 'a' } }))
    expect(text(properties)).toBe('{ of: Record<string, string | number> }')
    expect(text([{}, {}])).toBe('Record<string, never>')
  })

  test('names that need quotes have them, and a deep value is unknown', () => {
    expect(text([{ 'a-b': 1, "it's": 2, class: 3 }])).toBe(`{ 'a-b': number; "it's": number; class: number }`)
    let deep: unknown = 1
    for (let n = 0; n < 20; n += 1) deep = { deep }
    expect(text([deep])).toContain('unknown')
  })
})

describe('pipelineText()', () => {
  // Another test type-checks it, with the files of probes.
  test('the file says what was found, whatever it was', async () => {
    await using project = await openProject()
    const file = await project.write('pipelines/shop.ts', pipelineText(everything))
    const { default: pipeline } = (await import(file)) as { default: Pipeline }
    expect(Object.keys(pipeline.streams)).toEqual(everything.streams.map(({ name }) => name))
    // What was found is what a run reads by.
    for (const { name, paging } of pagings)
      expect([name, pipeline.streams[name]?.recipe.source]).toMatchObject([
        name,
        { paging: paging.type === 'cursor' && name === 'cursors' ? { type: 'cursor' } : paging },
      ])
    const orders = pipeline.streams['orders']
    expect(orders?.recipe).toMatchObject({
      source: {
        request: { path: '/orders', query: { limit: 100, since: { bound: 'since', as: 'unix' } } },
        api: { auth: everything.auth, headers: everything.headers, rate: '5/s' },
      },
      incremental: { at: 'updated', unit: 's', order: 'ascending' },
    })
    expect(orders?.table).toMatchObject({ name: 'shop.orders', key: ['updated', 'state'], write: 'merge' })
    expect(pipeline.streams['rows']?.table).toMatchObject({ key: [], write: 'replace' })
  })

  test('an existing file is not written over without force', async () => {
    await using project = await openProject()
    const file = join(project.folder, 'pipelines', 'mine.ts')
    await writePipeline('first', { file })
    await expect(writePipeline('second', { file })).rejects.toThrow(
      /mine\.ts exists, and was not written over\. Choose another file by --out, or add --force/,
    )
    await expect(readFile(file, 'utf8')).resolves.toBe('first')
    await writePipeline('third', { file, force: true })
    await expect(readFile(file, 'utf8')).resolves.toBe('third')
  })
})
