// Children that are asked for in batches of parents, into PostgreSQL: no row is lost or doubled.
import { expect, test } from '@jest/globals'
import { byPage, http, inBatches, onePage, pipeline, run, since } from '../../src/index.ts'
import { apiServer } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'

interface Item {
  readonly id: string
  readonly of: number
}

test.each(['append', 'merge'] as const)(
  'a run that fails at any request continues in its batch (%s)',
  async (write) => {
    // Five parents on two pages; parent n has n items, and a page of items has two.
    let failAt = Infinity
    await using server = await apiServer(({ index, path, query }) => {
      if (index === failAt) return { status: 500 }
      const page = Number(query.get('page'))
      if (path === '/parents')
        return {
          json:
            [
              [1, 2, 3],
              [4, 5],
            ][page - 1]?.map((id) => ({ id })) ?? [],
        }
      const all = query
        .getAll('of')
        .flatMap((of) => Array.from({ length: Number(of) }, (_, n) => ({ id: `${of}.${n}`, of: Number(of) })))
      return { json: { items: all.slice(page * 2 - 2, page * 2), pages: Math.ceil(all.length / 2) } }
    })
    const api = http(server.origin, { attempts: 1 })
    const items = api
      .get<{ id: number }[]>('/parents')
      .pages(byPage('page'))
      .records()
      .flatMap(
        inBatches(2, (batch) =>
          api
            .get<{ items: Item[]; pages: number }>('/items', { of: batch.map(({ id }) => id) })
            .pages(byPage('page', { pages: 'pages' }))
            .records('items'),
        ),
        { concurrency: 2 },
      )
    const flow = (name: string) =>
      pipeline(name, {
        streams: {
          items: write === 'append' ? items.into(`t.${name}`, { write }) : items.into(`t.${name}`, { key: 'id' }),
        },
      })
    await using store = await testDatabase()
    let failed = 0
    for (let at = 2; at < 12; at += write === 'append' ? 1 : 3) {
      const name = `fails_at_${at}`
      failAt = server.requests.length + at
      const first = await run(flow(name), { database: store.url, throwOnFailure: false })
      if (first.streams.items.status === 'failed') failed++
      if (first.streams.items.status === 'failed') await run(flow(name), { database: store.url })
      expect({
        at,
        rows: await store.database.query(`select of::int, count(*)::int from t.${name} group by 1 order by 1`),
      }).toEqual({
        at,
        rows: [1, 2, 3, 4, 5].map((of) => ({ of, count: of })),
      })
    }
    expect(failed).toBeGreaterThan(2)
  },
)

test('rows at the cursor are not stored again if their parent is now in another batch', async () => {
  let parents = ['a', 'b']
  await using server = await apiServer(({ path, query }) =>
    path === '/parents'
      ? { json: parents.map((id) => ({ id })) }
      : { json: query.getAll('of').map((of) => ({ day: '2024-01-01', of })) },
  )
  await using store = await testDatabase()
  const api = http(server.origin)
  const flow = pipeline('p', {
    streams: {
      days: api
        .get<{ id: string }[]>('/parents')
        .pages(onePage())
        .records()
        .flatMap(
          inBatches(2, (batch) =>
            api
              .get<{ day: string; of: string }[]>('/days', { of: batch.map(({ id }) => id), since })
              .pages(onePage())
              .records()
              .incremental('day'),
          ),
        )
        .into('t.days', { write: 'append' }),
    },
  })
  await run(flow, { database: store.url })
  parents = ['c', 'a', 'b']
  const { streams } = await run(flow, { database: store.url })
  expect(streams.days.counts).toMatchObject({ fetched: 3, inserted: 1, duplicate: 2 })
  expect(await store.database.query('select of from t.days order by 1')).toEqual([
    { of: 'a' },
    { of: 'b' },
    { of: 'c' },
  ])
})
