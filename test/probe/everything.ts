import type { Found, FoundPaging, FoundRecords, FoundStream } from '../../src/probe/found.ts'
import { inferType } from '../../src/probe/infer-type.ts'

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
/** A stream of each paginator and of each shape of records. */
export const pagings: readonly FoundStream[] = [
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
  stream('continued', { type: 'continue', at: 'continue' }),
  stream('headers', { type: 'header', parameter: 'page', header: 'x-next-page' }, { records: list }),
  stream('path', { type: 'one page' }, { records: { shape: 'object', at: '' } }),
  stream('http', { type: 'one page' }, { records: { shape: 'object', at: 'data' } }),
  stream('resources', { type: 'next url', at: 'links.next' }, { records: { shape: 'resources', at: 'data' } }),
  stream('members', { type: 'one page' }, { records: { shape: 'members', at: 'data', key: 'id' } }),
  stream('rows', { type: 'one page' }, { records: { shape: 'rows', at: 'rows', header: 'columns' }, key: [] }),
]
/** All that a pipeline file can say. */
export const everything: Found = {
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
