import { expect, jest, test } from '@jest/globals'
import { diff, http, onePage, pipeline, since } from '../../../src/index.ts'
import { runPipeline } from '../../../src/run/run-pipeline.ts'
import { diffPipeline } from '../../../src/run/verify/diff-pipeline.ts'
import { answering, merging, moment, rows } from '../../backfill/source.ts'
import { apiServer } from '../../support/api-server.ts'
import { testDatabase, type TestDatabase } from '../../support/database.ts'

jest.setTimeout(60_000)

/** All that a run could have changed in the ledger. */
const ledger = async ({ database }: TestDatabase): Promise<unknown> => {
  const tables = await database.query<{ name: string }>(
    `select relname as name from pg_class where relnamespace = 'sluice'::regnamespace and relkind = 'r' order by 1`,
  )
  return Promise.all(
    tables.map(async ({ name }) => [name, await database.query(`select to_jsonb(t) as row from sluice.${name} as t`)]),
  )
}

test('says what the next run would change, writes nothing, and that run changes it', async () => {
  const data = rows(30)
  await using api = await apiServer(answering(() => data))
  await using test = await testDatabase()
  const flow = merging(api.origin)
  await runPipeline(flow, { database: test.url })
  // The cursor is at 29, and the next run begins a minute before it.
  await test.database.query('delete from t.rows where id = 3')
  data[29] = { id: 29, name: 'changed', updated: moment(29) }
  data.push({ id: 30, name: 'new', updated: moment(30) }, { id: 31, name: 'newer', updated: moment(31) })
  Object.assign(data[30]!, { note: 'a field that the table has no column for' })
  const before = [await ledger(test), await test.database.query('select * from t.rows order by id')]
  const [found] = await diffPipeline(flow, { database: test.url })
  expect(found).toMatchObject({
    status: 'done',
    since: moment(29),
    read: 3,
    insert: 2,
    update: 1,
    unchanged: 0,
    delete: 0,
    columns: { name: 1 },
    alterations: ['added note text'],
    samples: [
      { kind: 'missing', key: { id: 30 } },
      { kind: 'missing', key: { id: 31 } },
      { kind: 'stale', key: { id: 29 }, columns: [{ column: 'name', before: 'row 29', after: 'changed' }] },
    ],
  })
  expect([await ledger(test), await test.database.query('select * from t.rows order by id')]).toEqual(before)
  expect(await diffPipeline(flow, { database: test.url, full: true })).toMatchObject([
    { read: 32, insert: 3, update: 1 },
  ])
  const { streams } = await runPipeline(flow, { database: test.url })
  expect(streams.rows.counts).toMatchObject({ inserted: 2, updated: 1, unchanged: 0 })
  expect(await diffPipeline(flow, { database: test.url })).toMatchObject([
    { read: 1, insert: 0, update: 0, unchanged: 1, alterations: [] },
  ])
})

interface Item {
  id: number
  at: string
  name?: string | null
  gone?: boolean
}

const at = (day: number): string => `2024-01-0${day}T00:00:00Z`

test('each way to write is foreseen, and streams whose run would fail say why', async () => {
  let list: Item[] = [1, 2, 3].map((id) => ({ id, at: at(id), name: `n${id}` }))
  await using api = await apiServer(({ query }) => ({
    json: list.filter((item) => item.at >= (query.get('since') ?? '')),
  }))
  await using test = await testDatabase()
  const items = () => http(api.origin).get<Item[]>('/items').pages(onePage()).records()
  const log = http(api.origin).get<Item[]>('/items', { since }).pages(onePage()).records()
  const flow = pipeline('modes', {
    streams: {
      appended: items().into('t.appended', { key: 'id', write: 'append' }),
      logged: log.incremental('at').into('t.logged', { write: 'append' }),
      history: items().into('t.history', { key: 'id', write: 'history' }),
      replaced: items().into('t.replaced', { key: 'id', write: 'replace' }),
      swapped: items().into('t.swapped', { write: 'replace' }),
      mirrored: items().into('t.mirrored', { key: 'id', mirror: true }),
      deleted: items()
        .deleted(({ gone }) => gone === true)
        .into('t.deleted', { key: 'id', columns: { gone: false } as {} }),
    },
  })
  const summary = async (): Promise<unknown> => {
    const { streams } = await diff(flow, { database: test.url })
    return Object.fromEntries(
      streams.map((one) => [one.stream, [one.insert, one.update, one.unchanged, one.delete, one.status]]),
    )
  }
  expect(await summary()).toEqual({
    appended: [3, 0, 0, 0, 'done'],
    logged: [3, 0, 0, 0, 'done'],
    history: [3, 0, 0, 0, 'done'],
    replaced: [3, 0, 0, 0, 'done'],
    swapped: [3, 0, 0, 0, 'done'],
    mirrored: [3, 0, 0, 0, 'done'],
    deleted: [3, 0, 0, 0, 'done'],
  })
  await runPipeline(flow, { database: test.url })
  list = [
    { id: 2, at: at(2), name: 'changed', gone: true },
    { id: 3, at: at(3), name: 'n3' },
    { id: 4, at: at(4), name: 'n4' },
  ]
  const foreseen = await summary()
  expect(foreseen).toEqual({
    appended: [1, 0, 2, 0, 'done'],
    // Record 3 comes again, as it was at the cursor.
    logged: [1, 0, 0, 0, 'done'],
    history: [1, 1, 1, 0, 'done'],
    replaced: [1, 1, 1, 1, 'done'],
    swapped: [3, 0, 0, 3, 'done'],
    mirrored: [1, 1, 1, 1, 'done'],
    deleted: [1, 0, 1, 1, 'done'],
  })
  const { streams } = await runPipeline(flow, { database: test.url })
  expect(
    Object.fromEntries(
      Object.entries(streams).map(([name, { counts, swap, mirroredRows }]) => [
        name,
        [
          swap?.inserted ?? counts.inserted,
          swap?.updated ?? counts.updated,
          mirroredRows ?? swap?.deleted ?? counts.deleted,
        ],
      ]),
    ),
  ).toEqual({
    appended: [1, 0, 0],
    logged: [1, 0, 0],
    history: [2, 0, 0],
    replaced: [1, 1, 1],
    swapped: [3, 0, 3],
    mirrored: [1, 1, 1],
    deleted: [1, 0, 1],
  })
  list = []
  await test.database.query('drop table t.logged')
  expect((await diff(flow, { database: test.url })).streams).toMatchObject([
    {},
    { stream: 'logged', status: 'failed', error: expect.stringContaining('the table is missing') },
    {},
    { stream: 'replaced', status: 'failed', delete: 3, error: expect.stringContaining('no records were read') },
    { stream: 'swapped', status: 'failed', delete: 3 },
    { stream: 'mirrored', status: 'failed', delete: 3, error: expect.stringContaining('--most-deletes 3') },
    { stream: 'deleted', status: 'done', delete: 0 },
  ])
})

test('a list that has not changed deletes nothing, and a mirror that may not delete says so', async () => {
  const state = { list: [1, 2, 3].map((id) => ({ id, name: `n${id}` })), etag: 'one', status: 200 }
  await using api = await apiServer(({ headers, path }) => {
    if (path === '/part') return { status: state.status, json: state.list }
    return headers['if-none-match'] === state.etag
      ? { status: 304 }
      : { json: state.list, headers: { etag: state.etag } }
  })
  await using test = await testDatabase()
  const at = http(api.origin, { responseRules: [{ status: 403, action: 'skip', expected: true }] })
  const whole = at.get<Item[]>('/whole').pages(onePage(), { ifChanged: true }).records()
  const flow = pipeline('lists', {
    streams: {
      mirrored: whole.into('t.mirror', { key: 'id', mirror: true }),
      replaced: whole.into('t.replace', { key: 'id', write: 'replace' }),
      part: at.get<Item[]>('/part').pages(onePage()).records().into('t.part', { key: 'id', mirror: true }),
    },
  })
  await runPipeline(flow, { database: test.url })
  state.status = 403
  const found = async () => (await diff(flow, { database: test.url })).streams
  expect(await found()).toMatchObject([
    { status: 'done', delete: 0, warnings: [] },
    { status: 'done', delete: 0, warnings: [] },
    { status: 'done', delete: 0, warnings: [expect.stringContaining('the mirror would delete nothing: a rule left')] },
  ])
  Object.assign(state, { list: state.list.slice(1), etag: 'two', status: 200 })
  expect(await found()).toMatchObject([{ delete: 1 }, { delete: 1 }, { delete: 1 }])
  await test.database.query(`
    insert into sluice.table_writers (table_name, pipeline, stream) values ('t.mirror', 'other', 'rows');
    drop table t.part; create table t.part (id bigint primary key); insert into t.part values (9);
    delete from sluice.tables where name = 't.part'`)
  expect(await found()).toMatchObject([
    { status: 'failed', error: expect.stringContaining('t.mirror also has rows of other.rows') },
    {},
    { status: 'failed', error: expect.stringContaining('Sluice did not create this table') },
  ])
})
