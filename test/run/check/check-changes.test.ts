import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { bearer, http, onePage, pipeline, secret, type Pipeline } from '../../../src/index.ts'
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

async function checkAll(checked: Pipeline, environment = {}): Promise<Finding[]> {
  const { signal } = new AbortController()
  return checkPipelines([{ pipeline: checked, file: 'p.ts' }], { database: own.url, environment, signal })
}

const check = async (checked: Pipeline): Promise<Finding> => (await checkAll(checked)).at(-1)!

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

/** Returns what is found about the table, without its result. */
const remarks = async (options: object = {}): Promise<string[]> =>
  (await checkAll(flow(options)))
    .filter(({ location, isFault, isAdvice }) => location.includes('->') && (isFault || isAdvice))
    .map(({ isFault, text }) => `${isFault ? 'problem' : 'advice'}: ${text}`)

test('rows that the table would refuse are told: a text that is too long, a value that is missing', async () => {
  await own.database.query(`create schema t; create table t.items (
    id bigint primary key, code varchar(3), kind text not null, note text not null default '', loaded date not null
    default current_date, twice bigint not null generated always as (id * 2) stored, n bigint not null)`)
  records = [
    { id: 1, code: 'four', n: 1, note: 'a' },
    { id: 2, code: 'abc', n: null, note: null },
    { id: 3, code: 'abc', n: 1, note: 'a' },
  ]
  const before = api.requests.length
  expect(await remarks()).toEqual([
    expect.stringMatching(/^advice: 1 record of 3 on the first page would be rejected: .*code.* without being cut/),
    expect.stringMatching(
      /^problem: the column kind is NOT NULL and has no default, and no record of the first page has a value .*: each/,
    ),
    'advice: the column note is NOT NULL, and 1 of 2 records of the first page have no value for it: these would be ' +
      'rejected. Give the field a value by .map(), or let the owner run: alter table "t"."items" alter column "note" ' +
      'drop not null',
    expect.stringMatching(/^advice: the column n is NOT NULL and has no default, and 1 of 2 records/),
  ])
  expect(api.requests.length - before).toBe(1)
  expect(await remarks({ maxRejects: 0 })).toEqual(Array.from({ length: 4 }, () => expect.stringMatching(/^problem: /)))
  // A trigger may set what is missing.
  await own.database.query(`create function t.f() returns trigger language plpgsql as $$ begin return new; end $$;
    create trigger f before insert on t.items for each row execute function t.f()`)
  expect(await remarks()).toEqual([expect.stringMatching(/code/)])
})

const withSecret = (name: string) =>
  http(api.origin, { auth: bearer(secret(name)) })
    .get<Item[]>('/')
    .pages(onePage())
    .records()

test('a missing secret is told once, with the streams that it stops', async () => {
  records = [{ id: 1 }]
  const found = pipeline('p', {
    streams: {
      a: withSecret('FIRST').into('t.a', { key: 'id' }),
      b: withSecret('SECOND').into('t.b', { key: 'id' }),
      c: withSecret('FIRST').into('t.c', { key: 'id' }),
    },
  })
  expect((await checkAll(found, { SECOND: 'given' })).filter(({ isFault }) => isFault)).toEqual([
    { location: 'p.a, p.c', isFault: true, text: expect.stringMatching(/^secret FIRST is not set: .*MISSING_SECRET/) },
  ])
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
  await own.database.query(`alter table t.items_lines alter sku set not null, add bin text not null default '';
    alter table t.items_lines alter bin drop default`)
  records = [
    {
      id: 1,
      lines: [
        { line: 1, sku: 'a', bin: 'x' },
        { line: 2, bin: 'x' },
        { line: 3, sku: null },
      ],
    },
    { id: 2, lines: [{ line: 1, sku: 'a', bin: 'x' }] },
  ]
  expect((await lists()).slice(1, 3)).toEqual([
    'ok t.items_lines: the column sku is NOT NULL and has no default, and 2 of 4 entries of lines on the first page ' +
      'have no value for it: 1 of 2 records would be rejected, with all their entries. Give the field a value by ' +
      '.map(), or let the owner run: alter table "t"."items_lines" alter column "sku" drop not null',
    expect.stringContaining('the column bin is NOT NULL and has no default, and 1 of 4 entries'),
  ])
  expect((await runPipeline(checked, { database: own.url })).streams.items.counts).toMatchObject({ rejected: 1 })
  records = [{ id: 2, lines: [{ line: 1 }] }]
  expect((await lists())[2]).toContain(
    'problem t.items_lines: the column sku is NOT NULL and has no default, and no entry',
  )
  await own.database.query('alter table t.items_lines drop constraint items_lines_pkey')
  expect((await lists())[0]).toContain(
    't.items_lines: there is no unique index of exactly (items_id, line), which writing by key needs',
  )
})
