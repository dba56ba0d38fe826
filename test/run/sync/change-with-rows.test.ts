import { describe, expect, test } from '@jest/globals'
import { byCursor, http, pipeline, source } from '../../../src/index.ts'
import type { RunEvent } from '../../../src/model/event.ts'
import { runPipeline } from '../../../src/run/run-pipeline.ts'
import { apiServer } from '../../support/api-server.ts'
import { testDatabase, type TestDatabase } from '../../support/database.ts'
import { PgProxy, type Link } from '../../support/pg-proxy.ts'
import { columnsOf } from '../../load/support.ts'

// A change of a table and the first rows that need it belong to one transaction.

type Row = Readonly<Record<string, unknown>>
type Options = Readonly<Record<string, unknown>>

/** Runs a stream whose pages have positions, into t.rows. */
function load({ url }: Pick<TestDatabase, 'url'>, pages: readonly (readonly Row[])[], options: Options = {}) {
  const events: RunEvent[] = []
  const rows = source<Row>(async function* () {
    for (const [position, records] of pages.entries()) yield { records, position: position + 1 }
  })
  const flow = rows.into('t.rows', { key: 'id', ...options } as never)
  return runPipeline(pipeline('p', { streams: { rows: flow } }), {
    database: url,
    onEvent: (event) => void events.push(event),
  }).then((report) => ({ ...report.streams.rows, events }))
}

const alterations = ({ events }: { readonly events: readonly RunEvent[] }): string[] =>
  events.flatMap((event) => (event.type === 'table.altered' ? [event.change] : []))

const schemas = async ({ database }: TestDatabase): Promise<unknown> =>
  database.query(`select nspname from pg_namespace where nspname = 't'`)

describe('a first page that cannot be stored', () => {
  test('leaves no new table and no new schema', async () => {
    await using test = await testDatabase()
    const report = await load(test, [[{ id: 1 }, { id: null }]], { maxRejects: 0 })
    expect(report).toMatchObject({ status: 'failed', counts: { inserted: 0 } })
    expect(await schemas(test)).toEqual([])
    expect(await test.database.query('select from sluice.tables')).toEqual([])
    expect(alterations(report)).toEqual([])
  })

  test.each(['merge', 'append', 'replace'])('leaves the columns of an older table as they were (%s)', async (write) => {
    await using test = await testDatabase()
    expect((await load(test, [[{ id: 1, n: 1 }]], { write })).status).toBe('done')
    const before = await columnsOf(test.database, 't.rows')
    const bad = [[{ id: 2, n: 'text', more: true }, { id: null }]]
    const report = await load(test, bad, { write, maxRejects: 0 })
    expect(report).toMatchObject({ status: 'failed' })
    expect(await columnsOf(test.database, 't.rows')).toEqual(before)
    expect(alterations(report)).toEqual([])
    expect(await load(test, [[{ id: 2, n: 'text', more: true }]], { write })).toMatchObject({ status: 'done' })
    expect(await columnsOf(test.database, 't.rows')).toMatchObject({ n: 'text', more: 'boolean' })
  })

  test.each(['merge', 'replace'])('adds no column _loaded_at to an older table (%s)', async (write) => {
    await using test = await testDatabase()
    await load(test, [[{ id: 1 }]], { write })
    const stamped = { write, loadedAt: true }
    expect(await load(test, [[{ id: null }]], { ...stamped, maxRejects: 0 })).toMatchObject({ status: 'failed' })
    expect(await columnsOf(test.database, 't.rows')).toEqual({ id: 'bigint' })
    expect(await load(test, [[{ id: 1 }, { id: 2 }]], stamped)).toMatchObject({ status: 'done' })
    expect(await columnsOf(test.database, 't.rows')).toEqual({ id: 'bigint', _loaded_at: 'timestamp with time zone' })
    expect(await test.database.query('select id::int from t.rows where _loaded_at is not null')).toEqual([{ id: 2 }])
  })

  test('leaves the columns as they were if the database refuses each row, and its rejects are stored', async () => {
    await using test = await testDatabase()
    await load(test, [[{ id: 1, n: 1 }]])
    await test.database.query('alter table t.rows add constraint positive check (n > 0)')
    const report = await load(test, [[{ id: 2, n: -1, more: true }], [{ id: 3, n: 3 }]])
    expect(report).toMatchObject({ status: 'done', counts: { inserted: 1, rejected: 1 } })
    expect(await columnsOf(test.database, 't.rows')).toEqual({ id: 'bigint', n: 'bigint' })
    expect(alterations(report)).toEqual([])
    expect(await test.database.query('select reason from sluice.rejects')).toHaveLength(1)
  })
})

describe('a first page that is stored', () => {
  test('keeps its change if a later page fails', async () => {
    await using test = await testDatabase()
    const report = await load(test, [[{ id: 1, n: 1 }], [{ id: null }]], { maxRejects: 0 })
    expect(report).toMatchObject({ status: 'failed', counts: { inserted: 1 } })
    expect(alterations(report)).toEqual(['created with id bigint, n bigint'])
    expect(await test.database.query('select id::int, n::int from t.rows')).toEqual([{ id: 1, n: 1 }])
  })

  test('keeps its change without the rows that the database refuses', async () => {
    await using test = await testDatabase()
    await load(test, [[{ id: 1, n: 1 }]])
    await test.database.query('alter table t.rows add constraint positive check (n > 0)')
    const report = await load(test, [
      [
        { id: 2, n: -1, more: 1 },
        { id: 3, n: 3, more: 2 },
      ],
    ])
    expect(report).toMatchObject({ status: 'done', counts: { inserted: 1, rejected: 1 } })
    expect(alterations(report)).toEqual(['added more bigint'])
    expect(await test.database.query('select id::int, more::int from t.rows order by id')).toEqual([
      { id: 1, more: null },
      { id: 3, more: 2 },
    ])
  })

  test('may come from several streams at once', async () => {
    await using test = await testDatabase()
    const names = ['a', 'b', 'c', 'd']
    const streams = Object.fromEntries(
      names.map((name, index) => [
        name,
        source<Row>(async function* () {
          for (let page = 0; page < 5; page += 1)
            yield {
              records: [{ id: index * 10 + page, [`${name}_${page}`]: 1, all: page > 2 ? 'text' : 1 }],
              position: page,
            }
        }).into('t.rows', { key: 'id' } as never),
      ]),
    )
    const report = await runPipeline(pipeline('p', { streams }), { database: test.url })
    for (const stream of Object.values(report.streams)) expect(stream).toMatchObject({ status: 'done' })
    expect(await test.database.query('select count(*)::int as n, count("all")::int as filled from t.rows')).toEqual([
      { n: 20, filled: 20 },
    ])
    expect(await columnsOf(test.database, 't.rows')).toMatchObject({ all: 'text' })
  })

  test('is stored once if the answer to its COMMIT is lost', async () => {
    await using test = await testDatabase()
    const url = new URL(test.url)
    let committing: Link | undefined
    let lost = 0
    await using proxy = await PgProxy.open({
      host: url.hostname,
      port: Number(url.port),
      watchers: [
        {
          before: ({ from, text, link }) => {
            if (from === 'client' && lost === 0 && text?.includes('sluice.advance') === true) committing = link
            if (from === 'client' || link !== committing) return undefined
            committing = undefined
            lost += 1
            link.cut()
            return 'drop'
          },
        },
      ],
    })
    const report = await load({ url: proxy.through(test.url) }, [[{ id: 1, n: 1 }], [{ id: 2, n: 2 }]])
    expect(lost).toBe(1)
    expect(report).toMatchObject({ status: 'done', counts: { inserted: 2 } })
    expect(alterations(report)).toEqual(['created with id bigint, n bigint'])
  })

  test('is changed and stored again after a connection that broke before the COMMIT', async () => {
    await using test = await testDatabase()
    const url = new URL(test.url)
    let broken = 0
    await using proxy = await PgProxy.open({
      host: url.hostname,
      port: Number(url.port),
      watchers: [
        {
          before: ({ from, text, link }) => {
            if (from !== 'client' || broken > 0 || text?.includes('sluice.advance') !== true) return undefined
            broken += 1
            link.cut()
            return 'drop'
          },
        },
      ],
    })
    const report = await load({ url: proxy.through(test.url) }, [
      [
        { id: 1, n: 1 },
        { id: 2, n: 'x' },
      ],
    ])
    expect(broken).toBe(1)
    expect(report).toMatchObject({ status: 'done', counts: { inserted: 2 } })
    expect(await columnsOf(test.database, 't.rows')).toEqual({ id: 'bigint', n: 'text' })
  })
})

test('a session whose loss the server has not noticed does not keep the table locked', async () => {
  await using test = await testDatabase()
  await load(test, [[{ id: 1 }]])
  const url = new URL(test.url)
  let lost = 0
  await using proxy = await PgProxy.open({
    host: url.hostname,
    port: Number(url.port),
    watchers: [
      {
        before: ({ from, text, link }) => {
          if (from !== 'client' || lost > 0 || text?.includes('sluice.advance') !== true) return undefined
          lost += 1
          link.detach()
          return 'drop'
        },
      },
    ],
  })
  const report = await load({ url: proxy.through(test.url) }, [[{ id: 2, more: 1 }]])
  expect(lost).toBe(1)
  expect(report).toMatchObject({ status: 'done', counts: { inserted: 1 } })
  expect(report.events.filter((event) => event.type === 'waiting')).toEqual([])
}, 30_000)

test('the swap of a replace with several pages does not hold the lock of a change', async () => {
  await using test = await testDatabase()
  await using api = await apiServer(({ query }) =>
    query.get('after') === null
      ? { json: { items: [{ id: 1 }], next: 'two' } }
      : { json: { items: [{ id: 2, more: 1 }], next: null } },
  )
  await load(test, [[{ id: 1 }]], { write: 'replace' })
  const url = new URL(test.url)
  const statements: string[] = []
  await using proxy = await PgProxy.open({
    host: url.hostname,
    port: Number(url.port),
    watchers: [{ before: ({ from, text }) => void (from === 'client' && text !== undefined && statements.push(text)) }],
  })
  const items = http(api.origin)
    .get<{ items: { id: number }[]; next: string | null }>('/')
    .pages(byCursor('after', 'next'))
    .records('items')
  const flow = pipeline('p', { streams: { rows: items.into('t.rows', { key: 'id', write: 'replace' }) } })
  expect(await runPipeline(flow, { database: proxy.through(test.url) })).toMatchObject({ status: 'done' })
  const altered = statements.findIndex((text) => text.includes('alter table "t"."rows" add column'))
  const swapped = statements.findIndex((text) => text.includes('drop table "sluice"."shadow_'))
  expect(altered).toBeGreaterThan(0)
  expect(swapped).toBeGreaterThan(altered)
  expect(statements.slice(altered, swapped)).toContain('commit')
})
