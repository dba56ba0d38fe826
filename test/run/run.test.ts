import { describe, expect, test } from '@jest/globals'
import { byCursor, byPage, http, onePage, path, pipeline, since, source, type RunEvent } from '../../src/index.ts'
import { runPipeline } from '../../src/run/run-pipeline.ts'
import { apiServer, type ApiHandler } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'

interface Item {
  id: number
  name: string
  updated: string
}

const moment = (n: number): string => new Date(Date.UTC(2024, 0, 1) + n * 60_000).toISOString()
const items = (count: number): Item[] =>
  Array.from({ length: count }, (_, n) => ({ id: n + 1, name: `item ${n + 1}`, updated: moment(n) }))

/**
 * Pages of five by cursor, of the records that changed since; the rows are looked up at each request, so they may
 * change during the run.
 */
const paged =
  (rows: () => readonly Item[], size = 5): ApiHandler =>
  ({ query }) => {
    const from = query.get('since')
    const fitting = rows().filter(({ updated }) => from === null || updated >= from)
    const start = Number(query.get('after') ?? 0)
    return {
      json: {
        items: fitting.slice(start, start + size),
        next: start + size < fitting.length ? String(start + size) : null,
      },
    }
  }
const itemsOf = (origin: string) =>
  http(origin)
    .get<{ items: Item[]; next: string | null }>('/items', { since })
    .pages(byCursor('after', 'next'))
    .records('items')

describe('run', () => {
  test('stores what the API has, and a further run without change inserts nothing, in every write mode', async () => {
    await using api = await apiServer(paged(() => items(23)))
    await using test = await testDatabase()
    const recipe = itemsOf(api.origin).incremental('updated', { order: 'ascending' })
    const modes = pipeline('modes', {
      streams: {
        merged: recipe.into('t.merged', { key: 'id' }),
        appended: recipe.into('t.appended', { write: 'append' }),
        replaced: itemsOf(api.origin).into('t.replaced', { key: 'id', write: 'replace' }),
      },
    })
    const first = await runPipeline(modes, { database: test.url })
    expect(first).toMatchObject({
      status: 'done',
      streams: {
        merged: { counts: { fetched: 23, inserted: 23 } },
        appended: { counts: { inserted: 23 } },
        replaced: { counts: { inserted: 23 }, swap: { inserted: 23, updated: 0, deleted: 0 } },
      },
    })
    for (const _ of [2, 3]) {
      const again = await runPipeline(modes, { database: test.url })
      expect(again.streams.merged).toMatchObject({
        since: moment(22),
        // The lookback of a minute reads the item before the last one again.
        counts: { fetched: 2, inserted: 0, updated: 0, unchanged: 2 },
      })
      expect(again.streams.appended).toMatchObject({ counts: { fetched: 1, inserted: 0, duplicate: 1 } })
      expect(again.streams.replaced).toMatchObject({ swap: { inserted: 0, updated: 0, deleted: 0 } })
    }
    for (const table of ['merged', 'appended', 'replaced']) {
      expect(await test.database.query(`select id::int, name, updated::text from t.${table} order by id`)).toEqual(
        items(23).map(({ id, name, updated }) => ({
          id,
          name,
          updated: `${updated.slice(0, 19).replace('T', ' ')}+00`,
        })),
      )
    }
  })

  test('refuses to fill a table that is gone with only what is new, and loads all of it again with full', async () => {
    await using api = await apiServer(paged(() => items(7)))
    await using test = await testDatabase()
    const recipe = itemsOf(api.origin).incremental('updated')
    const flow = pipeline('gone', {
      streams: {
        items: recipe.into('t.items', { key: 'id' }),
        empty: recipe.filter(() => false).into('t.empty', { key: 'id' }),
      },
    })
    await runPipeline(flow, { database: test.url })
    await test.database.query('drop table t.items')
    const refused = await runPipeline(flow, { database: test.url })
    expect(refused.streams.items).toMatchObject({
      status: 'failed',
      error: expect.stringMatching(
        /^gone\.items: t\.items: the table is missing, and rows of this stream were stored before\. This run.*--full/,
      ),
    })
    // Nothing was ever stored of this one, so that its table is not missed.
    expect(refused.streams.empty).toMatchObject({ status: 'done' })
    expect(await test.database.query(`select to_regclass('t.items') as it`)).toEqual([{ it: null }])
    const full = await runPipeline(flow, { database: test.url, full: true })
    expect(full.streams.items).toMatchObject({ status: 'done', counts: { inserted: 7 } })
    expect((await runPipeline(flow, { database: test.url })).status).toBe('done')
  })

  test('adds only the new rows that share the boundary value', async () => {
    let rows = items(4)
    await using api = await apiServer(paged(() => rows))
    await using test = await testDatabase()
    const flow = pipeline('boundary', {
      streams: { appended: itemsOf(api.origin).incremental('updated').into('t.appended', { write: 'append' }) },
    })
    await runPipeline(flow, { database: test.url })
    rows = [...rows, { id: 5, name: 'late', updated: moment(3) }, { id: 6, name: 'later', updated: moment(4) }]
    const { streams } = await runPipeline(flow, { database: test.url })
    expect(streams.appended.counts).toMatchObject({ fetched: 3, inserted: 2, duplicate: 1 })
    expect(await test.database.query('select id::int from t.appended order by id')).toEqual(
      [1, 2, 3, 4, 5, 6].map((id) => ({ id })),
    )
  })

  test('a failed stream commits its complete pages and stops no other; the next run resumes it', async () => {
    let broken = true
    await using api = await apiServer(({ path: asked, query, ...request }) => {
      if (broken && asked === '/bad' && query.get('page') === '3') return { status: 404, json: {} }
      if (asked === '/bad')
        return { json: { rows: Number(query.get('page')) > 4 ? [] : [{ id: Number(query.get('page')) }] } }
      return paged(() => items(7))({ path: asked, query, ...request })
    })
    await using test = await testDatabase()
    const bad = http(api.origin).get<{ rows: { id: number }[] }>('/bad').pages(byPage('page')).records('rows')
    const both = pipeline('both', {
      streams: { good: itemsOf(api.origin).into('t.good', { key: 'id' }), bad: bad.into('t.bad', { key: 'id' }) },
    })
    const report = await runPipeline(both, { database: test.url })
    expect(report.status).toBe('failed')
    expect(report.streams.good).toMatchObject({ status: 'done', counts: { inserted: 7 } })
    expect(report.streams.bad).toMatchObject({
      status: 'failed',
      counts: { fetched: 2, inserted: 2 },
      error: expect.stringContaining('404'),
    })
    broken = false
    const asked = api.requests.length
    const again = await runPipeline(both, { database: test.url, streams: ['bad'] })
    expect(again.streams.bad).toMatchObject({ status: 'done', resumed: true, counts: { fetched: 2, inserted: 2 } })
    // The page before is requested again, to see that the list has not moved.
    expect(api.requests.slice(asked).map(({ query }) => query.get('page'))).toEqual(['2', '3', '4', '5'])
  })

  test('children are read for their parents, and a new field changes the table between two batches', async () => {
    await using api = await apiServer(({ path: asked, query, ...request }) => {
      const [, parent] = /^\/items\/(\d+)\/notes$/.exec(asked) ?? []
      if (!parent) return paged(() => items(12))({ path: asked, query, ...request })
      const page = Number(query.get('page'))
      return { json: page > 3 ? [] : [{ id: `${parent}-${page}`, ...(Number(parent) > 6 && { extra: page }) }] }
    })
    await using test = await testDatabase()
    const notes = itemsOf(api.origin).flatMap(
      (item) =>
        http(api.origin)
          .get<{ id: string; extra?: number }[]>(path`/items/${item.id}/notes`)
          .pages(byPage('page'))
          .records()
          .map((note) => ({ ...note, item: item.id })),
      { concurrency: 4 },
    )
    const flow = pipeline('children', { streams: { notes: notes.into('t.notes', { key: 'id' }) } })
    const report = await runPipeline(flow, { database: test.url, batch: { rows: 4 } })
    expect(report.streams.notes).toMatchObject({ status: 'done', counts: { fetched: 36, parents: 12, inserted: 36 } })
    expect(await test.database.query('select count(*)::int as rows, count(extra)::int as extras from t.notes')).toEqual(
      [{ rows: 36, extras: 18 }],
    )
  })

  test('pages without a position are stored together with the first one that has it, or with the end', async () => {
    await using test = await testDatabase()
    const seen: RunEvent[] = []
    const own = source<{ id: number; more?: string }>(async function* () {
      for (let page = 0; page < 6; page += 1)
        yield {
          records: [{ id: page, ...(page === 4 && { more: 'a new column' }) }],
          ...(page === 2 && { position: page }),
        }
    })
    const report = await runPipeline(pipeline('own', { streams: { own: own.into('t.own', { key: 'id' }) } }), {
      database: test.url,
      batch: { rows: 1 },
      onEvent: (event) => seen.push(event),
    })
    expect(report.streams.own).toMatchObject({ status: 'done' })
    expect(await test.database.query('select id::int, more from t.own order by id')).toEqual(
      [0, 1, 2, 3, 4, 5].map((id) => ({ id, more: id === 4 ? 'a new column' : null })),
    )
  })

  test('an aborted run ends soon, with what is whole committed', async () => {
    const stop = new AbortController()
    await using api = await apiServer(({ query }) => {
      if (query.get('page') === '3') {
        setImmediate(() => stop.abort(new Error('enough')))
        return { hang: true }
      }
      return { json: [{ id: Number(query.get('page')) }] }
    })
    await using test = await testDatabase()
    const flow = pipeline('stopped', {
      streams: {
        pages: http(api.origin)
          .get<{ id: number }[]>('/pages')
          .pages(byPage('page'))
          .records()
          .into('t.pages', { key: 'id' }),
      },
    })
    const report = await runPipeline(flow, { database: test.url, signal: stop.signal })
    expect(report).toMatchObject({
      status: 'interrupted',
      streams: { pages: { status: 'interrupted', counts: { inserted: 2 } } },
    })
    expect(await test.database.query('select id::int from t.pages order by id')).toEqual([{ id: 1 }, { id: 2 }])
  })

  test('an address that is none of PostgreSQL is wrong usage, known before anything is asked', async () => {
    await expect(
      runPipeline(pipeline('none', { streams: {} }), { environment: { DATABASE_URL: 'nonsense' } }),
    ).rejects.toThrow('DATABASE_URL is not the address of a PostgreSQL database')
  })

  test('a bad record never blocks the good ones', async () => {
    await using api = await apiServer([
      {
        json: [
          { id: 1, n: 'one' },
          { id: null, n: 'no key' },
          { id: 2, n: 'nul \u0000' },
          { id: 3, n: 'three' },
        ],
      },
    ])
    await using test = await testDatabase()
    const flow = pipeline('rejects', {
      streams: {
        rows: http(api.origin)
          .get<{ id: number; n: string }[]>('/')
          .pages(onePage())
          .records()
          .into('t.rows', { key: 'id' }),
      },
    })
    const report = await runPipeline(flow, { database: test.url })
    expect(report.streams.rows).toMatchObject({ status: 'done', counts: { fetched: 4, inserted: 2, rejected: 2 } })
    expect(await test.database.query('select record from sluice.rejects order by id')).toMatchObject([
      { record: { n: 'no key' } },
      { record: { n: 'nul \u0000' } },
    ])
  })

  test('where another run is reading a stream, it is left out by name, or the run fails by name', async () => {
    const reached = Promise.withResolvers<void>()
    const released = Promise.withResolvers<void>()
    await using api = await apiServer(async () => {
      reached.resolve()
      await released.promise
      return { json: items(1) }
    })
    await using test = await testDatabase()
    const flow = pipeline('twice', {
      streams: {
        all: http(api.origin).get<Item[]>('/').pages(onePage()).records().into('t.all', { key: 'id' }),
      },
    })
    const first = runPipeline(flow, { database: test.url })
    await reached.promise
    const [left, failed] = await Promise.all([
      runPipeline(flow, { database: test.url, overlap: 'skip' }),
      runPipeline(flow, { database: test.url }),
    ])
    released.resolve()
    const { run: id, status } = await first
    expect(status).toBe('done')
    expect(left.streams.all).toMatchObject({
      status: 'not run',
      warnings: [`not run: run ${id} is reading this stream`],
    })
    expect(failed.streams.all).toMatchObject({
      status: 'failed',
      error: expect.stringContaining(`run ${id} is reading it`),
    })
  }, 30_000) // Whoever restarts a run that was killed may find its session for some seconds more, so it is waited for.
})
