import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import type { Pipeline } from '../../src/define/pipeline.ts'
import type { Found, FoundPaging, FoundRecords, FoundStream } from '../../src/probe/found.ts'
import { inferType } from '../../src/probe/infer-type.ts'
import { typeText } from '../../src/probe/write/write-type.ts'
import { pipelineText, writePipeline } from '../../src/probe/write-pipeline.ts'
import { Decimal } from '../../src/value/decimal.ts'
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

const record = inferType([{ id: 1, name: 'a', updated_at: '2025-01-01T00:00:00Z', n: 1, 'odd name': 'x' }])
const stream = (name: string, paging: FoundPaging, more: Partial<FoundStream> = {}): FoundStream => ({
  name,
  path: `/${name}`,
  records: { shape: 'list', at: 'data' },
  paging,
  key: ['id'],
  record,
  ...more,
})
const list: FoundRecords = { shape: 'list', at: '' }
const pagings: readonly FoundStream[] = [
  stream('one', { type: 'one page', atMost: 100 }, { records: list }),
  stream('pages', { type: 'page', parameter: 'page[number]', start: 0, pages: 'meta.pages', total: 'meta.total' }),
  stream('more', { type: 'page', parameter: 'page', start: 1, more: 'meta.is_last', moreIs: false }),
  stream('offsets', { type: 'offset', parameter: '$skip', start: 0, total: { header: 'x-total' }, limit: '$top' }),
  stream('cursors', { type: 'cursor', parameter: 'after', at: 'meta.paging.next.after', more: 'meta.more' }),
  stream('header-cursors', { type: 'cursor', parameter: { header: 'x-after' }, at: { header: 'x-next' } }),
  stream('lasts', { type: 'last record', parameter: 'starting_after', at: 'data.id', more: 'has_more' }),
  stream('odata', { type: 'next url', at: '@odata.nextLink', total: '@odata.count' }),
  stream(
    'next-urls',
    { type: 'next url', at: '_links.next.href' },
    { records: { shape: 'list', at: '_embedded.items' } },
  ),
  stream('links', { type: 'link header', rel: 'next' }, { records: list }),
  stream('headers', { type: 'header', parameter: 'page', header: 'x-next-page' }, { records: list }),
  stream('path', { type: 'one page' }, { records: { shape: 'object', at: '' } }),
  stream('http', { type: 'one page' }, { records: { shape: 'object', at: 'data' } }),
  stream('resources', { type: 'next url', at: 'links.next' }, { records: { shape: 'resources', at: 'data' } }),
  stream('members', { type: 'one page' }, { records: { shape: 'members', at: 'data', key: 'id' } }),
  stream('rows', { type: 'one page' }, { records: { shape: 'rows', at: 'rows', header: 'columns' }, key: [] }),
]
const everything: Found = {
  name: 'shop',
  base: 'https://shop.example/v1',
  baseVariable: 'SHOP_API',
  auth: [
    { type: 'bearer', token: { secret: 'SHOP_TOKEN' } },
    { type: 'header', name: 'x-key', value: { secret: 'SHOP_KEY' } },
  ],
  headers: { 'x-version': "it's 2" },
  rate: '5/s',
  about: ['Written by `sluice probe`.'],
  questions: ['May it be asked more often? */ A very long question '.repeat(4)],
  types: { Money: inferType([{ amount: 1, currency: 'EUR' }]) },
  streams: [
    ...pagings,
    stream(
      'orders',
      { type: 'one page' },
      {
        record: {
          kind: 'object',
          fields: [
            { name: 'id', type: { kind: 'union', of: [{ kind: 'number' }, { kind: 'null' }] }, note: 'The */ number.' },
            { name: 'total', type: { kind: 'named', name: 'Money' }, isOptional: true },
            { name: 'exact', type: { kind: 'decimal' } },
            {
              name: 'state',
              type: { kind: 'union', of: ['open', 'shut'].map((value) => ({ kind: 'literal', value })) },
            },
            { name: 'updated', type: { kind: 'number' } },
          ],
        },
        query: { limit: 100, since: { bound: 'since', as: 'unix' } },
        cursor: { at: 'updated', unit: 's', order: 'ascending' },
        key: ['updated', 'state'],
        columns: { total: 'jsonb' },
        notes: ['Orders that changed.'],
        questions: ['Is `updated` moved by each change?'],
      },
    ),
    stream(
      'order-lines',
      { type: 'one page' },
      {
        path: '/orders/{orderId}/lines',
        records: list,
        parent: { stream: 'orders', parameters: { orderId: 'id' }, keeps: { order_state: 'state' } },
        key: ['order_state', 'id'],
      },
    ),
    stream(
      'searches',
      { type: 'one page' },
      { method: 'POST', json: { filter: { since: { bound: 'since' }, n: [1] } } },
    ),
    stream('files', { type: 'one page' }, { format: { type: 'csv', delimiter: ';' }, records: list }),
  ],
}

describe('pipelineText()', () => {
  test('the file type-checks and says what was found, whatever it was', async () => {
    await using project = await openProject()
    const file = await project.write('pipelines/shop.ts', pipelineText(everything))
    await expect(project.typeCheck()).resolves.toBe('')
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
