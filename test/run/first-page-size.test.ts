// A first page that came with its parent, in a list whose pages have numbers.
import { expect, test } from '@jest/globals'
import { byOffset, byPage, http, onePage, path, pipeline, run, type Paging } from '../../src/index.ts'
import { fakeApi } from '../../src/testing/index.ts'
import { testDatabase } from '../support/database.ts'

interface Item {
  readonly id: number
}

/** An order with 7 items, of which the list of orders brings the first ones. A page of its items has 5. */
async function readItems(inline: number, paging: Paging<Item[]>) {
  const items = Array.from({ length: 7 }, (_, n): Item => ({ id: n + 1 }))
  await using server = await fakeApi({
    lists: {
      '/orders': { paging: 'one page', at: '', records: [{ id: 1, items: items.slice(0, inline) }] },
      '/orders/:id/items': { paging, at: '', records: items },
    },
  })
  await using store = await testDatabase()
  const api = http(server.url, { attempts: 1 })
  const flow = pipeline('p', {
    streams: {
      items: api
        .get<{ id: number; items: Item[] }[]>('/orders')
        .pages(onePage())
        .records()
        .flatMap((order) =>
          api
            .get<Item[]>(path`/orders/${order.id}/items`, { limit: 5 })
            .pages(paging, { firstPage: order.items })
            .records(),
        )
        .into('t.items', { key: 'id' }),
    },
  })
  await run(flow, { database: store.url })
  const asked = server.requests.slice(1).map(({ query }) => query.get('page') ?? `from ${query.get('offset')}`)
  const rows = await store.database.query<{ id: number }>('select id::int from t.items order by id')
  return { ids: rows.map(({ id }) => id), asked }
}

test('of another size is requested, because the second page begins behind the first one of the API', async () => {
  const { ids, asked } = await readItems(3, byPage('page'))
  expect(ids).toEqual([1, 2, 3, 4, 5, 6, 7])
  expect(asked).toEqual(['1', '2', '3'])
})

test('of the size that is asked for is not requested', async () => {
  const { ids, asked } = await readItems(5, byPage('page'))
  expect(ids).toEqual([1, 2, 3, 4, 5, 6, 7])
  expect(asked).toEqual(['2', '3'])
})

test('may have any size where offsets count records', async () => {
  const { ids, asked } = await readItems(3, byOffset('offset'))
  expect(ids).toEqual([1, 2, 3, 4, 5, 6, 7])
  expect(asked).not.toContain('from 0')
})
