import { expect, test } from '@jest/globals'
import { http, onePage, pipeline, time, type Pipeline } from '../../src/index.ts'
import { openDatabase } from '../../src/database/database.ts'
import { readPartitions } from '../../src/load/partition/partitions.ts'
import { runPipeline } from '../../src/run/run-pipeline.ts'
import type { RunEvent } from '../../src/model/event.ts'
import type { PartitionLength } from '../../src/model/partition.ts'
import type { ColumnDeclaration } from '../../src/model/recipe.ts'
import { apiServer, type ApiServer } from '../support/api-server.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'

type Event = Record<string, unknown>

const serve = (rows: () => readonly Event[]): Promise<ApiServer> => apiServer(() => ({ json: rows() }))

interface Options {
  readonly every?: PartitionLength
  readonly key?: readonly string[]
  readonly write?: 'merge' | 'append'
  readonly at?: ColumnDeclaration
}

function events(api: ApiServer, { every = '1mo', key = ['id', 'at'], write = 'merge', at }: Options = {}): Pipeline {
  return pipeline('web', {
    streams: {
      events: http(api.origin as 'http://x')
        .get<Event[]>('/events')
        .pages(onePage())
        .records()
        .into('web.events', {
          ...(key.length > 0 && { key }),
          write,
          partition: { by: 'at', every },
          ...(at !== undefined && { columns: { at } }),
        } as never),
    },
  })
}

async function read(flow: Pipeline, { url }: TestDatabase): Promise<{ status: string; changes: string[] }> {
  const seen: RunEvent[] = []
  const { status } = await runPipeline(flow, { database: url, onEvent: (event) => seen.push(event) })
  return { status, changes: seen.flatMap((event) => (event.type === 'table.altered' ? [event.change] : [])) }
}

/** Returns the ids of the rows in each partition, by the end of its name. */
async function parts({ database }: TestDatabase): Promise<Record<string, number[]>> {
  const rows = await database.query<{ part: string; ids: number[] }>(
    `select substr(c.relname, 8) as part,
            array(select e.id::int from web.events e where e.tableoid = c.oid order by 1) as ids
       from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'web.events'::regclass order by 1`,
  )
  return Object.fromEntries(rows.map(({ part, ids }) => [part, ids]))
}

test('a new table is divided by month, and gets a partition once a record needs it', async () => {
  const rows = [
    { id: 1, at: '2024-01-31T23:59:59.999Z', n: 1 },
    { id: 2, at: '2024-02-01T00:00:00Z', n: 1 },
    // In UTC this is a moment of February.
    { id: 3, at: '2024-03-01T01:30:00+02:00', n: 1 },
  ]
  await using api = await serve(() => rows)
  await using test = await testDatabase()
  expect(await read(events(api), test)).toMatchObject({ status: 'done' })
  expect(await parts(test)).toEqual({ default: [], '2024_01': [1], '2024_02': [2, 3] })
  expect(await read(events(api), test)).toEqual({ status: 'done', changes: [] })

  rows[1] = { id: 2, at: '2024-02-01T00:00:00Z', n: 2 }
  rows.push({ id: 4, at: '2025-06-15T00:00:00Z', n: 1 })
  expect(await read(events(api), test)).toEqual({ status: 'done', changes: ['added the partition 2025_06'] })
  expect(await parts(test)).toEqual({ default: [], '2024_01': [1], '2024_02': [2, 3], '2025_06': [4] })
  expect(await test.database.query('select n::int from web.events where id = 2')).toEqual([{ n: 2 }])
})

test('rows without a time wait in the default partition, and rows that lie there move to a new one', async () => {
  const rows: Event[] = [{ id: 1, at: null }, { id: 2 }, { id: 3, at: '2024-01-05T00:00:00Z' }]
  await using api = await serve(() => rows)
  await using test = await testDatabase()
  const flow = events(api, { key: [], write: 'append' })
  expect(await read(flow, test)).toMatchObject({ status: 'done' })
  expect(await parts(test)).toEqual({ default: [1, 2], '2024_01': [3] })
  await test.database.query(`insert into web.events (id, at) values (4, '2024-02-28'), (5, 'infinity')`)
  expect(await parts(test)).toEqual({ default: [1, 2, 4, 5], '2024_01': [3] })

  rows.splice(0, 3, { id: 6, at: '2024-02-01T00:00:00Z' })
  expect(await read(flow, test)).toEqual({ status: 'done', changes: ['added the partition 2024_02'] })
  expect(await parts(test)).toEqual({ default: [1, 2, 5], '2024_01': [3], '2024_02': [4, 6] })
})

test('another length holds for new partitions, between those that are there', async () => {
  const rows = [{ id: 1, at: '2024-01-10T00:00:00Z' }]
  await using api = await serve(() => rows)
  await using test = await testDatabase()
  await read(events(api, { every: '1d' }), test)
  rows.push({ id: 2, at: '2024-01-03T00:00:00Z' }, { id: 3, at: '2024-01-31T00:00:00Z' })
  const { changes } = await read(events(api), test)
  expect(changes).toEqual(['added the partition 2024_01, added the partition 2024_01_11'])
  expect(await parts(test)).toEqual({ default: [], '2024_01_10': [1], '2024_01': [2], '2024_01_11': [3] })
  expect(await read(events(api), test)).toEqual({ status: 'done', changes: [] })
})

test.each<[string, ColumnDeclaration, unknown, unknown, unknown]>([
  ['a date', 'date', '2024-01-31', '2024-02-01', '2024-02-29'],
  ['a timestamp', 'timestamp', '2024-01-31T23:59:59', '2024-02-01T00:00:00', '2024-02-29T23:00:00'],
  ['seconds since 1970', time('unix'), 1_706_745_599, 1_706_745_600, 1_709_247_600],
  [
    'a local time',
    { type: 'timestamptz', zone: 'Europe/Berlin' },
    '2024-02-01T00:59:59',
    '2024-02-01T01:00:00',
    '2024-02-29T23:30:00',
  ],
])('%s divides, however the server writes times', async (_, at, first, second, last) => {
  const rows = [
    { id: 1, at: first },
    { id: 2, at: second },
  ]
  await using api = await serve(() => rows)
  await using test = await testDatabase()
  const name = new URL(test.url).pathname.slice(1)
  await test.database.query(`alter database "${name}" set timezone = 'America/New_York'`)
  await test.database.query(`alter database "${name}" set datestyle = 'German'`)
  expect(await read(events(api, { at }), test)).toMatchObject({ status: 'done' })
  expect(await parts(test)).toEqual({ default: [], '2024_01': [1], '2024_02': [2] })
  await using database = await openDatabase({ url: test.url })
  const { table } = events(api, { at }).streams['events']!
  const months = ['2024-01', '2024-02', '2024-03'].map((month) => Date.parse(`${month}-01T00:00:00Z`))
  expect(await readPartitions(database, table)).toMatchObject({
    periods: [
      { from: months[0], to: months[1] },
      { from: months[1], to: months[2] },
    ],
  })
  rows.push({ id: 3, at: last })
  expect(await read(events(api, { at }), test)).toEqual({ status: 'done', changes: [] })
  expect(await parts(test)).toEqual({ default: [], '2024_01': [1], '2024_02': [2, 3] })
})

test('a table that is divided in another way is an error', async () => {
  await using api = await serve(() => [{ id: 1, at: '2024-01-31T00:00:00Z' }])
  await using test = await testDatabase()
  await test.database
    .query(`create schema web; create table web.events (id bigint, at timestamptz, primary key (id, at))
    partition by hash (id)`)
  const { streams } = await runPipeline(events(api), { database: test.url })
  expect(streams['events']?.error).toMatch(
    'divided in another way than partition says, by (id) and not by ranges of at',
  )
})

test('a table that exists stays in one piece, which is said', async () => {
  await using api = await serve(() => [{ id: 1, at: '2024-01-31T00:00:00Z' }])
  await using test = await testDatabase()
  await test.database.query(
    `create schema web; create table web.events (id bigint, at timestamptz, primary key (id, at))`,
  )
  const { status, streams } = await runPipeline(events(api), { database: test.url })
  expect({ status, warnings: streams['events']?.warnings }).toMatchObject({
    status: 'done',
    warnings: [expect.stringContaining('partition is for a new table')],
  })
})

test.each<[Record<string, unknown>, string]>([
  [{ key: 'id', partition: { by: 'at', every: '1mo' } }, "Write key: ['id', 'at'] if a record never changes its at"],
  [{ key: ['id', 'at'], partition: { by: 'at', every: '2mo' } }, 'partition.every is 1d, 1w, 1mo, 1y, not "2mo"'],
  [{ key: ['id', 'at'], partition: { every: '1mo' } }, 'partition.by is the name of a field with a time'],
  [{ key: ['id', 'at'], partition: { by: 'at', each: '1mo' } }, 'each'],
  [{ key: ['id', 'at'], partition: 'at' }, "partition is { by: 'created', every: '1mo' }, not \"at\""],
  [
    { write: 'replace', partition: { by: 'at', every: '1mo' } },
    "partition is for merge and append, and write is 'replace'",
  ],
  [
    { key: ['id', 'at'], columns: { at: 'text' }, partition: { by: 'at', every: '1mo' } },
    'columns declares as text. It has to be a time or a date',
  ],
])('%j is refused', (options, message) => {
  const flow = http('http://x.test').get<Event[]>('/events').pages(onePage()).records()
  expect(() => flow.into('web.events', options as never)).toThrow(message)
})
