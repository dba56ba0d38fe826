import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { http, onePage, pipeline, type Pipeline } from '../../../src/index.ts'
import { checkPipelines, type Finding } from '../../../src/run/check/check.ts'
import { runPipeline } from '../../../src/run/run-pipeline.ts'
import { apiServer, type ApiServer } from '../../support/api-server.ts'
import { columnsOf } from '../../load/support.ts'
import { testDatabase, type TestDatabase } from '../../support/database.ts'

// `check` shows what a run would change in a table, from the one page that it requests.

let api: ApiServer
let own: TestDatabase
let records: object[] = []
beforeAll(async () => {
  api = await apiServer(() => ({ json: records }))
})
afterAll(async () => api[Symbol.asyncDispose]())
beforeEach(async () => {
  own = await testDatabase()
})
afterEach(async () => own[Symbol.asyncDispose]())

interface Item {
  id: number
  n?: unknown
  at: string
}
const items = () => http(api.origin).get<Item[]>('/').pages(onePage()).records()
const flow = (options: object = {}, name = 't.items') =>
  pipeline('p', { streams: { items: items().into(name as 't.items', { key: 'id', ...options } as never) } })

async function check(checked: Pipeline): Promise<Finding> {
  const findings = await checkPipelines([{ pipeline: checked, file: 'p.ts' }], {
    database: own.url,
    signal: new AbortController().signal,
  })
  return findings.at(-1)!
}

test('the columns that a run would add and widen are shown, with one request and without a change', async () => {
  records = [{ id: 1, n: 1 }]
  await runPipeline(flow(), { database: own.url })
  records = [{ id: 1, n: 'text', note: 'new' }]
  const before = api.requests.length
  expect(await check(flow())).toMatchObject({
    isFault: false,
    text: 'exists, 2 columns, unique by id; a run changes it: added note text, widened n from bigint to text',
  })
  expect(api.requests.length - before).toBe(1)
  expect(await columnsOf(own.database, 't.items')).toEqual({ id: 'bigint', n: 'bigint' })
  expect(await check(flow({ onSchemaChange: 'freeze' }))).toMatchObject({
    isFault: true,
    text: expect.stringContaining('the first page needs a change (added note text'),
  })
  expect(await check(flow({ onSchemaChange: 'reject' }))).toMatchObject({
    isFault: false,
    text: expect.stringContaining('a run rejects records that need a change: added note text'),
  })
})

test('the rows are those that the stages make of the records', async () => {
  records = [{ id: 1, n: 1 }]
  await runPipeline(flow(), { database: own.url })
  records = [{ id: 1, n: 1, note: 'new' }]
  const staged = items()
    .map(({ id }) => ({ id, upper: 'X' }))
    .filter(() => true)
  expect(await check(pipeline('p', { streams: { items: staged.into('t.items', { key: 'id' }) } }))).toMatchObject({
    text: expect.stringContaining('; a run changes it: added upper text'),
  })
})

test('stages that may have an effect are not called', async () => {
  let calls = 0
  const counting = <T>(value: T): T => {
    calls += 1
    return value
  }
  records = [{ id: 1, n: 1 }]
  await runPipeline(flow(), { database: own.url })
  records = [{ id: 1, note: 'new' }]
  for (const stream of [items().tap(counting), items().map(async (item) => counting(item))])
    expect(await check(pipeline('p', { streams: { items: stream.into('t.items', { key: 'id' }) } }))).toMatchObject({
      isFault: false,
      text: 'exists, 2 columns, unique by id',
    })
  expect(calls).toBe(0)
})

test('a change of a table that Sluice did not create is a fault without adopt: true', async () => {
  await own.database.query('create schema t; create table t.items (id bigint primary key)')
  records = [{ id: 1, note: 'new' }]
  expect(await check(flow())).toMatchObject({
    isFault: true,
    text: expect.stringMatching(/Sluice did not create this table.*added note text.*adopt: true/),
  })
  expect(await check(flow({ write: 'replace' }))).toMatchObject({
    isFault: true,
    text: expect.stringContaining("write: 'replace' deletes each of its rows"),
  })
  expect(await check(flow({ adopt: true }))).toMatchObject({ isFault: false })
  records = [{ id: 1 }]
  expect(await check(flow())).toMatchObject({ isFault: false, text: 'exists, 1 column, unique by id' })
})

test('so it is before the first run, which creates the ledger', async () => {
  await own.database.query('create schema t; create table t.items (id bigint primary key)')
  await own.database.query('drop schema sluice cascade')
  records = [{ id: 1, note: 'new' }]
  expect(await check(flow())).toMatchObject({ isFault: true, text: expect.stringContaining('did not create') })
})

test('each declared type that differs from that of the table is named', async () => {
  records = [{ id: 1, n: 1, at: '2024-01-01' }]
  await runPipeline(flow(), { database: own.url })
  expect(await check(flow({ columns: { n: 'text', at: 'timestamptz', id: 'bigint' } }))).toMatchObject({
    isFault: true,
    text: expect.stringMatching(
      /n is bigint, but the definition declares text\. .*the column at is date, but .* declares timestamptz\. /,
    ),
  })
})

test('a table that is gone although rows were stored is a fault if a run would load only what is new', async () => {
  records = [{ id: 1, at: '2024-01-01' }]
  const incremental = pipeline('p', { streams: { items: items().incremental('at').into('t.items', { key: 'id' }) } })
  await runPipeline(incremental, { database: own.url })
  expect(await check(incremental)).toMatchObject({ isFault: false })
  await own.database.query('drop table t.items')
  expect(await check(incremental)).toMatchObject({
    isFault: true,
    text: expect.stringContaining('the table is missing, and rows of this stream were stored before'),
  })
})

test('the tables of lists are checked, with what a run would store in them', async () => {
  const checked = flow({ children: { lines: { key: 'line', columns: { sku: 'text' } }, tags: {} } })
  const lists = async (): Promise<string[]> => {
    const findings = await checkPipelines([{ pipeline: checked, file: 'p.ts' }], {
      database: own.url,
      signal: new AbortController().signal,
    })
    return findings
      .filter(({ location }) => location.startsWith('p.items -> t.items_'))
      .map(({ location, isFault, text }) => `${isFault ? 'problem' : 'ok'} ${location.slice(11)}: ${text}`)
  }
  const missing = 'does not exist; the first run with an entry of the list creates it'
  records = [{ id: 1, lines: [{ line: 1, sku: 'a' }] }]
  expect(await lists()).toEqual([`ok t.items_lines: ${missing}`, `ok t.items_tags: ${missing}`])
  await runPipeline(checked, { database: own.url })
  records = [
    { id: 1, lines: [{ line: 1, note: 'new' }], tags: [] },
    { id: 2, tags: 5 },
  ]
  const before = api.requests.length
  expect(await lists()).toEqual([
    'ok t.items_lines: exists, 3 columns, unique by items_id, line; a run changes it: added note text',
    'ok t.items_lines: none of 1 record of the first page has the declared field sku. A record has items.id, line, ' +
      'note. Correct its name in columns, unless other records have it',
    `ok t.items_tags: ${missing}`,
    'problem t.items_tags: tags: it is 5, and children stores a list. A run rejects such records: the first page has 1',
  ])
  expect(api.requests.length - before).toBe(1)
  await own.database.query('alter table t.items_lines drop constraint items_lines_pkey')
  expect((await lists())[0]).toContain(
    't.items_lines: there is no unique index of exactly (items_id, line), which writing by key needs',
  )
})
