import { describe, expect, test } from '@jest/globals'
import { apiKey, byPage, http, onePage, path, pipeline, secret, source, type Pipeline } from '../../src/index.ts'
import { runPipeline } from '../../src/run/run-pipeline.ts'
import { apiServer } from '../support/api-server.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'

interface Item {
  id: number
  name: string
}

const stored = async ({ database }: TestDatabase, table = 't.items') =>
  database.query<{ id: number; run: string; firstSeen: string; url: string | null; ctid: string }>(
    `select id::int, name, _run::text as run, _first_seen::text as "firstSeen", _source_url as url, ctid::text
       from ${table} order by id`,
  )

const items = (origin: string, write: 'merge' | 'append' = 'merge'): Pipeline =>
  pipeline('traced', {
    streams: {
      items: http(origin, { auth: apiKey(secret('KEY'), { query: 'api_key' }) })
        .get<Item[]>('/items', { limit: 1 })
        .pages(byPage('page'))
        .records()
        .into('t.items', { key: 'id', write, lineage: true }),
    },
  })
const environment = { KEY: 'very-secret-key' }

describe('lineage', () => {
  test('says which run wrote a row, when it was first seen, and where it came from', async () => {
    let names = ['one', 'two']
    await using api = await apiServer(({ query }) => {
      const id = Number(query.get('page'))
      return { json: id <= names.length ? [{ id, name: names[id - 1] }] : [] }
    })
    await using test = await testDatabase()
    const first = await runPipeline(items(api.origin), { database: test.url, environment })
    const before = await stored(test)
    expect(before).toMatchObject([
      { id: 1, run: first.run, url: `${api.origin}/items?limit=1&page=1` },
      { id: 2, run: first.run, url: `${api.origin}/items?limit=1&page=2` },
    ])
    names = ['one', 'new', 'three']
    const second = await runPipeline(items(api.origin), { database: test.url, environment })
    const after = await stored(test)
    // A row that has not changed is not written: no column of it says that it was read again.
    expect(after[0]).toEqual(before[0])
    expect(after[1]).toMatchObject({ name: 'new', run: second.run, firstSeen: before[1]!.firstSeen })
    expect(after[2]).toMatchObject({ name: 'three', run: second.run, url: `${api.origin}/items?limit=1&page=3` })
    expect(after[2]!.firstSeen > before[1]!.firstSeen).toBe(true)
  })

  test('of an append by key is that of the run that inserted the row', async () => {
    await using api = await apiServer(({ query }) =>
      query.get('page') === '1' ? { json: [{ id: 1, name: 'x' }] } : { json: [] },
    )
    await using test = await testDatabase()
    await runPipeline(items(api.origin, 'append'), { database: test.url, environment })
    const before = await stored(test)
    await runPipeline(items(api.origin, 'append'), { database: test.url, environment })
    expect(await stored(test)).toEqual(before)
    expect(before[0]!.firstSeen).not.toBeNull()
  })

  test('of children names the request of the child, and of a custom source none', async () => {
    await using api = await apiServer(({ path: at }) => ({
      json: at === '/parents' ? [{ id: 7 }] : [{ id: 1, name: 'child' }],
    }))
    await using test = await testDatabase()
    const parents = http(api.origin).get<{ id: number }[]>('/parents').pages(onePage()).records()
    const report = await runPipeline(
      pipeline('traced', {
        streams: {
          children: parents
            .flatMap(({ id }) =>
              http(api.origin)
                .get<Item[]>(path`/parents/${id}`)
                .pages(onePage())
                .records(),
            )
            .into('t.children', { key: 'id', lineage: true }),
          lists: parents.flatMap(({ id }) => [{ id, name: 'of a list' }]).into('t.lists', { key: 'id', lineage: true }),
          own: source<Item>(async function* () {
            yield { records: [{ id: 1, name: 'own' }] }
          }).into('t.own', { write: 'append', lineage: true }),
        },
      }),
      { database: test.url },
    )
    expect(await stored(test, 't.children')).toMatchObject([{ url: `${api.origin}/parents/7` }])
    expect(await stored(test, 't.lists')).toMatchObject([{ id: 7, url: `${api.origin}/parents` }])
    expect(await stored(test, 't.own')).toMatchObject([{ id: 1, run: report.run, url: null }])
    expect((await stored(test, 't.own'))[0]!.firstSeen).not.toBeNull()
  })

  test('is added to a table that exists, and rows from before have none', async () => {
    await using api = await apiServer(() => ({ json: [{ id: 1, name: 'x' }] }))
    await using test = await testDatabase()
    const every = http(api.origin).get<Item[]>('/').pages(onePage()).records()
    const plain = (lineage: boolean) =>
      pipeline('traced', { streams: { items: every.into('t.items', { key: 'id', lineage }) } })
    await runPipeline(plain(false), { database: test.url })
    const report = await runPipeline(plain(true), { database: test.url })
    expect(report.status).toBe('done')
    expect(await stored(test)).toMatchObject([{ id: 1, run: null, firstSeen: null, url: null }])
  })

  test('takes the names of its columns, and has no meaning for replace', async () => {
    const own = source<{ id: number; _run: number }>(async function* () {
      yield { records: [{ id: 1, _run: 5 }] }
    })
    await using test = await testDatabase()
    const streams = { own: own.into('t.own', { key: 'id', lineage: true }), other: own.into('t.other', { key: 'id' }) }
    const report = await runPipeline(pipeline('traced', { streams }), { database: test.url })
    expect(report.streams['own'].error).toContain('the field "_run" and a column that Sluice adds')
    expect(report.streams['other'].status).toBe('done')
    expect(() => own.into('t.own', { key: 'id', write: 'replace', lineage: true })).toThrow(
      'lineage says when a row was first seen, but replace stores exactly what was read. ' +
        "Leave it out, or use { write: 'merge' }",
    )
  })
})
