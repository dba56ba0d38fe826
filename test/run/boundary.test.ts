import { describe, expect, jest, test } from '@jest/globals'
import { runPipeline } from '../../src/run/run-pipeline.ts'
import { byCursor, http, onePage, path, pipeline, since } from '../../src/index.ts'
import { apiServer, type ApiServer } from '../support/api-server.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'

// Others may use the machine at the same time.
jest.setTimeout(30_000)

interface Row {
  id: number
  at: string
}
interface Listing {
  items: Row[]
  next: string | null
}
const listing = ({ origin }: ApiServer) =>
  http(origin, { attempts: 1 })
    .get<Listing>('/items', { since })
    .pages(byCursor('after', 'next'))
    .records('items')
    .incremental('at')
const rowsOf = async ({ database }: TestDatabase): Promise<number[]> =>
  (await database.query<{ id: number }>('select id::int from t.rows order by id')).map(({ id }) => id)
const at = '2024-01-01T00:00:00Z'

describe('append without a key', () => {
  test('stores a record of a new parent that equals the one of another', async () => {
    let parents = ['a', 'b']
    await using api = await apiServer(({ path: asked }) =>
      asked === '/parents' ? { json: parents.map((id) => ({ id })) } : { json: [{ day: '2024-01-01', clicks: 0 }] },
    )
    await using test = await testDatabase()
    const source = http(api.origin)
    const flow = pipeline('p', {
      streams: {
        rows: source
          .get<{ id: string }[]>('/parents')
          .pages(onePage())
          .records()
          .flatMap(({ id }) =>
            source
              .get<{ day: string; clicks: number }[]>(path`/parents/${id}/days`, { since })
              .pages(onePage())
              .records()
              .incremental('day')
              .map((day) => ({ ...day, parent: id })),
          )
          .into('t.rows', { write: 'append' }),
      },
    })
    await runPipeline(flow, { database: test.url })
    parents = ['c', 'a', 'b']
    expect((await runPipeline(flow, { database: test.url })).streams.rows.counts).toMatchObject({
      fetched: 3,
      inserted: 1,
      duplicate: 2,
    })
    expect(await test.database.query('select parent from t.rows order by parent')).toEqual([
      { parent: 'a' },
      { parent: 'b' },
      { parent: 'c' },
    ])
  })

  test('a second record equal to the one at the boundary is stored, also after an interruption', async () => {
    let step = 1
    await using api = await apiServer(({ query }) => {
      if (query.get('after') === null) return { json: { items: [{ id: 1, at }], next: step === 1 ? null : 'x' } }
      return step === 2
        ? { status: 500 }
        : {
            json: {
              items: [
                { id: 1, at },
                { id: 2, at },
              ],
              next: null,
            },
          }
    })
    await using test = await testDatabase()
    const flow = pipeline('p', { streams: { rows: listing(api).into('t.rows', { write: 'append' }) } })
    for (step of [1, 2, 3]) await runPipeline(flow, { database: test.url })
    expect(await rowsOf(test)).toEqual([1, 1, 2])
  })

  test('more new rows during a read than can be remembered are neither lost nor stored twice', async () => {
    // All of them are newer than a reading that began yesterday.
    const recent = new Date(Date.now() - 3_600_000).toISOString()
    const rows = Array.from({ length: 12_000 }, (_, id) => ({ id, at: recent }))
    let isWhole = false
    await using api = await apiServer(({ query }) => {
      const page = Number(query.get('after') ?? 0)
      if (page === 2 && !isWhole) return { status: 500 }
      return {
        json: {
          items: rows
            .slice(page * 2_000, page * 2_000 + 2_000)
            .map((row) => ({ ...row, at: new Date(Date.parse(row.at) + row.id).toISOString() })),
          next: page < 5 ? String(page + 1) : null,
        },
      }
    })
    await using test = await testDatabase()
    await test.database.query(`create function public.yesterday() returns trigger language plpgsql as $$ begin
          new.started_at := new.started_at - interval '23 h'; return new; end $$;
      create trigger yesterday before insert on sluice.slices for each row execute function public.yesterday()`)
    const flow = pipeline('p', { streams: { rows: listing(api).into('t.rows', { write: 'append' }) } })
    expect((await runPipeline(flow, { database: test.url })).streams.rows).toMatchObject({
      status: 'failed',
      counts: { inserted: 4_000 },
    })
    await test.database.query('drop trigger yesterday on sluice.slices')
    isWhole = true
    // Finishes that reading, which has room for 1,000 more, then reads on from where it began.
    const second = await runPipeline(flow, { database: test.url })
    expect(second.streams.rows).toMatchObject({
      status: 'done',
      counts: { fetched: 20_000, inserted: 8_000, filtered: 7_000, duplicate: 5_000 },
    })
    expect(await rowsOf(test)).toEqual(rows.map(({ id }) => id))
  })

  test('a key is the way out where too many rows carry one value', async () => {
    const rows = Array.from({ length: 10_001 }, (_, id) => ({ id, at }))
    await using api = await apiServer(({ query }) =>
      query.get('after') === null
        ? { json: { items: rows.slice(0, 100), next: 'x' } }
        : { json: { items: rows.slice(100), next: null } },
    )
    await using test = await testDatabase()
    const first = await runPipeline(
      pipeline('p', { streams: { rows: listing(api).into('t.rows', { write: 'append' }) } }),
      {
        database: test.url,
        batch: { rows: 100 },
      },
    )
    expect(first.streams.rows).toMatchObject({
      status: 'failed',
      error: expect.stringContaining('Give the table a key'),
    })
    await test.database.query('create unique index on t.rows (id)')
    const asked = api.requests.length
    const second = await runPipeline(
      pipeline('p', { streams: { rows: listing(api).into('t.rows', { write: 'append', key: 'id' }) } }),
      { database: test.url },
    )
    expect(second.streams.rows.status).toBe('done')
    expect(api.requests[asked]!.query.get('after')).toBe('x')
    expect(await rowsOf(test)).toEqual(rows.map(({ id }) => id))
  })
})

test('a reading that was interrupted and saw nothing of its children reads on from their cursor', async () => {
  let step = 1
  await using api = await apiServer(({ path: asked }) => {
    if (asked === '/parents') return { json: [{ id: 'a' }, { id: 'b' }] }
    if (asked === '/parents/b' && step === 2) return { status: 500 }
    if (asked === '/parents/b' && step === 3) step = 4
    if (asked === '/parents/b' || step === 2 || step === 3) return { json: [] }
    return { json: [step === 1 ? { id: 1, at } : { id: 2, at: '2024-01-02T00:00:00Z' }] }
  })
  await using test = await testDatabase()
  const source = http(api.origin, { attempts: 1 })
  const flow = pipeline('p', {
    streams: {
      rows: source
        .get<{ id: string }[]>('/parents')
        .pages(onePage())
        .records()
        .flatMap(({ id }) =>
          source
            .get<Row[]>(path`/parents/${id}`, { since })
            .pages(onePage())
            .records()
            .incremental('at'),
        )
        .into('t.rows', { key: 'id' }),
    },
  })
  await runPipeline(flow, { database: test.url })
  step = 2
  expect((await runPipeline(flow, { database: test.url, batch: { rows: 1 } })).status).toBe('failed')
  step = 3
  await runPipeline(flow, { database: test.url })
  expect(await rowsOf(test)).toEqual([1, 2])
})
