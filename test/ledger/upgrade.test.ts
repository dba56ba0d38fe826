import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { cp, mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { backfill, byPage, http, onePage, pipeline, run, since, until } from '../../src/index.ts'
import { openDatabase, type Database } from '../../src/database/database.ts'
import { migrate } from '../../src/database/migrate.ts'
import { quoteIdentifier } from '../../src/database/quote.ts'
import { definitionHash } from '../../src/read/definition-hash.ts'
import { overviewBackfills } from '../../src/ledger/read/backfill-overview.ts'
import { readEvents } from '../../src/ledger/read/read-events.ts'
import { readRejects } from '../../src/ledger/read/read-rejects.ts'
import { readReport } from '../../src/ledger/read/read-report.ts'
import { readRuns } from '../../src/ledger/read/read-runs.ts'
import { readSlices } from '../../src/ledger/read/read-slices.ts'
import { readWindows } from '../../src/ledger/read/read-windows.ts'
import { apiServer, type ApiServer } from '../support/api-server.ts'
import { administer, urlOf } from '../support/database.ts'

// A ledger that version 0.1 wrote by real runs (fixtures/version-0.1.sql) is brought up to date.

const MIGRATIONS = join(import.meta.dirname, '../../migrations')
const LAST_OLD = '0012_lines.sql'

/** Today's name of each column that was renamed. */
const RENAMED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  runs: { keeper_pid: 'lease_pid', keeper_started: 'lease_started', stop_asked_at: 'stop_requested_at' },
  slices: {
    begun_by: 'started_by',
    begun_at: 'started_at',
    cursor_was: 'cursor_at_start',
    high: 'high_water_mark',
    unmet: 'boundary_remaining',
    before: 'counts_at_claim',
    after: 'previous_upper',
  },
  backfills: { alone: 'exclusive', size: 'window_size' },
  schedules: { since: 'registered_at' },
  requests: { what: 'action' },
  rates: { left_over: 'remaining', left_until: 'remaining_until' },
  rate_grants: { free_at: 'expires_at' },
  rejects: { replayed_at: 'settled_at', replayed_by: 'settled_by' },
  cursors: {},
  ticks: {},
  events: {},
}
const TABLES = Object.keys(RENAMED)

type Rows = Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>

/** All rows of all tables, every value as text. */
async function readAll(database: Database): Promise<Rows> {
  const tables = await Promise.all(
    TABLES.map(async (table) => {
      const rows = await database.query<{ row: Record<string, unknown> }>(
        `select to_jsonb(t) as row from sluice.${quoteIdentifier(table)} as t order by 1`,
      )
      return [table, rows.map(({ row }) => row)] as const
    }),
  )
  return Object.fromEntries(tables)
}

const EVENT_NAMES: Readonly<Record<string, string>> = {
  'run started': 'run.started',
  'run finished': 'run.finished',
  'slice started': 'slice.started',
  'slice finished': 'slice.finished',
  'slice failed': 'slice.failed',
  'stream failed': 'stream.failed',
  plan: 'backfill.planned',
  total: 'pages.total',
  shape: 'table.altered',
  batch: 'batch.committed',
  request: 'request.finished',
}

/** Today's name of each member of an event that was renamed. */
const EVENT_MEMBERS: Readonly<Record<string, string>> = { todo: 'toRead', place: 'windowIndex' }

/** Returns an old row as it is after the migration. */
function renamed(table: string, row: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const names = RENAMED[table] ?? {}
  const now = Object.fromEntries(Object.entries(row).map(([name, value]) => [names[name] ?? name, value]))
  if (table === 'slices' && now['status'] === 'dropped')
    now['status'] = now['kind'] === 'backfill' ? 'skipped' : 'closed'
  if (table === 'events') {
    const type = EVENT_NAMES[String(now['type'])] ?? now['type']
    const data: Record<string, unknown> = {}
    for (const [member, value] of Object.entries({ ...(now['data'] as object), type }))
      data[EVENT_MEMBERS[member] ?? member] = value
    Object.assign(now, { type, data })
  }
  return now
}

const name = `upgrade_${process.pid}`
let database: Database
let before: Rows
let after: Rows
let api: ApiServer
beforeAll(async () => {
  await administer(`create database ${name}`)
  database = await openDatabase({ url: urlOf(name) })
  const old = await mkdtemp(join(tmpdir(), 'sluice-old-'))
  for (const file of (await readdir(MIGRATIONS)).filter((one) => one <= LAST_OLD))
    await cp(join(MIGRATIONS, file), join(old, file))
  await migrate(database, { directory: old })
  await rm(old, { recursive: true })
  const fixture = await readFile(join(import.meta.dirname, 'fixtures/version-0.1.sql'), 'utf8')
  await database.query(fixture)
  // As if it had been written a minute ago: older slices are restarted, and older events removed.
  await database.query(`update sluice.slices set begun_at = clock_timestamp() - interval '1 min'`)
  await database.query('update sluice.events set at = clock_timestamp()')
  // A slice that was closed by hand.
  await database.query(
    `insert into sluice.slices (kind, status, pipeline, stream, begun_by, run, definition, finished_at, error, unmet)
     values ('sync', 'dropped', 'old', 'closed', 1, 1, 'd', clock_timestamp(), 'the cursor was reset', '{"hash": 1}')`,
  )
  await database.query(`insert into sluice.rate_grants (rate, requests, free_at) values (1, 2, '2026-11-26T00:00:00Z')`)
  before = await readAll(database)
  await migrate(database)
  after = await readAll(database)
  api = await apiServer(({ path, query }) => {
    // After the cursor there is nothing new.
    if (path === '/posts' && query.has('updated_since')) return { json: { data: [] } }
    if (path === '/posts') return { json: { data: posts(Number(query.get('page') ?? 1)) } }
    if (path === '/notes') return { json: [...NOTES, { text: 'c', at: '2024-01-03' }] }
    const from = query.get('from')!
    return { json: [{ id: Number(from.slice(8, 10)), at: from }] }
  })
}, 120_000)
afterAll(async () => {
  await api[Symbol.asyncDispose]()
  await database[Symbol.asyncDispose]()
  await administer(`drop database ${name} with (force)`)
})

const NOTES = [
  { text: 'a', at: '2024-01-01' },
  { text: 'b', at: '2024-01-02' },
  { text: 'b2', at: '2024-01-02' },
]

/** The API as the old version read it: ten posts on each of five pages, the fifth one of each without a title. */
const posts = (page: number): Post[] =>
  page > 5
    ? []
    : Array.from({ length: 10 }, (_, index) => ({
        id: (page - 1) * 10 + index + 1,
        title: index === 4 ? null : `post ${index}`,
        updated: `2024-01-0${page}T00:00:0${index}Z`,
      }))

interface Post {
  readonly id: number
  readonly title: string | null
  readonly updated: string
}

/** The pipelines that wrote the ledger, in today's words. */
function flows(origin: string) {
  // The server's address begins with http://.

  const source = http(origin)
  const titled = source
    .get<{ data: Post[] }>('/posts', { updated_since: since })
    .pages(byPage('page'))
    .records('data')
    .incremental('updated')
    .map((post) => {
      if (post.title === null) throw new Error('it has no title')
      return post
    })
  const notes = source.get<{ text: string; at: string }[]>('/notes').pages(onePage()).records().incremental('at')
  const days = source
    .get<{ id: number; at: string }[]>('/days', { from: since, to: until })
    .pages(onePage())
    .records()
    .incremental('at')
  return {
    old: pipeline('old', {
      streams: {
        posts: titled.into('old.posts', { key: 'id', maxRejects: 100 }),
        notes: notes.into('old.notes', { write: 'append' }),
      },
    }),
    fill: pipeline('fill', { streams: { days: days.into('old.days', { key: 'id', versionBy: 'at' }) } }),
  }
}

describe('a ledger of version 0.1', () => {
  test.each(TABLES)('keeps every row of %s under the new names', (table) => {
    const wanted = before[table]!.map((row) => renamed(table, row))
    expect(wanted).not.toEqual([])
    expect(after[table]).toHaveLength(wanted.length)
    // A new column may stand beside the old ones.
    for (const [index, row] of after[table]!.entries()) expect(row).toMatchObject(wanted[index]!)
  })

  test('knows nothing of the completeness of what is done, and at most that an open slice ends', async () => {
    const slices = await readSlices(database)
    const grades = (isOpen: boolean) =>
      new Set(slices.filter(({ status }) => (status === 'open') === isOpen).map(({ completeness }) => completeness))
    expect(grades(false)).toEqual(new Set([undefined]))
    // Nothing is told of a slice before its end.
    expect(grades(true)).toEqual(new Set([undefined]))
    expect(await database.query(`select distinct completeness from sluice.slices where status = 'open'`)).toEqual([
      { completeness: 'ended' },
    ])
  })

  test('lists its runs, events, rejects and windows by the functions of today', async () => {
    expect(await readRuns(database, { pipeline: 'old' })).toMatchObject([
      { id: '2', status: 'interrupted', counts: { fetched: 10, inserted: 9, rejected: 1 } },
      { id: '1', status: 'done', counts: { inserted: 3 }, report: { status: 'done', streams: { notes: {} } } },
    ])
    expect((await readEvents(database, { run: '2' })).map(({ event }) => event.type)).toEqual(
      expect.arrayContaining(['run.started', 'slice.started', 'table.altered', 'batch.committed', 'run.finished']),
    )
    expect(await readEvents(database, { run: '3' })).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ event: expect.objectContaining({ type: 'backfill.planned', toRead: 5 }) }),
        expect.objectContaining({ event: expect.objectContaining({ type: 'slice.started', windowIndex: 4 }) }),
      ]),
    )
    expect(await readRejects(database)).toMatchObject([{ stage: 'map', reason: 'it has no title' }])
    expect(await overviewBackfills(database)).toMatchObject([
      { id: '3', windows: 7, done: 2, skipped: 5 },
      { id: '2', windows: 1, done: 1 },
      { id: '1', windows: 5, done: 4, failed: 1, pending: 0 },
    ])
  })

  test('holds the definition hashes that the same pipelines have today', async () => {
    const { old, fill } = flows('http://127.0.0.1:47999')
    const slices = await database.query<{ stream: string; definition: string }>(
      `select distinct stream, definition from sluice.slices where stream <> 'closed' order by stream`,
    )
    const streams = { ...old.streams, ...fill.streams }
    expect(slices).toEqual(
      ['days', 'notes', 'posts'].map((stream) => {
        const { recipe, table } = streams[stream as keyof typeof streams]
        return { stream, definition: definitionHash(recipe, table) }
      }),
    )
  })

  test('resumes the interrupted slice after its last page, and the run reports it', async () => {
    const { old } = flows(api.origin)
    // The API of this test has another port, and the address is a part of the definition.
    const { recipe, table } = old.streams.posts
    await database.query(`update sluice.slices set definition = $1 where stream = 'posts'`, [
      definitionHash(recipe, table),
    ])
    const report = await run(old, { database: urlOf(name) })
    expect(report).toMatchObject({
      status: 'done',
      streams: { posts: { resumed: true, counts: { fetched: 40, inserted: 36, rejected: 4, unchanged: 0 } } },
    })
    const asked = api.requests.filter(({ path }) => path === '/posts').map(({ query }) => query.get('page'))
    expect(asked.slice(0, 5)).toEqual(['2', '3', '4', '5', '6'])
    expect(await database.query('select count(*)::int as rows from old.posts')).toEqual([{ rows: 45 }])
    expect(await readReport(database, report.run)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          stream: 'posts',
          isDone: true,
          resumed: true,
          total: expect.objectContaining({ fetched: 50, inserted: 45, rejected: 5 }),
        }),
      ]),
    )
  })

  test('knows by its boundary which rows of an append table are stored', async () => {
    expect(await database.query('select text from old.notes order by text')).toEqual(
      ['a', 'b', 'b2', 'c'].map((text) => ({ text })),
    )
  })

  test('continues a backfill with its failed window, and leaves the others as they are', async () => {
    const { fill } = flows(api.origin)
    const days = api.requests.length
    const range = { from: '2024-01-01', to: '2024-01-06', window: '1d' } as const
    expect(await backfill(fill, { ...range, only: 'failed', database: urlOf(name) })).toMatchObject({ status: 'done' })
    expect(api.requests.slice(days).map(({ query }) => query.get('from'))).toEqual(['2024-01-03T00:00:00Z'])
    expect((await readWindows(database, '1')).map(({ status }) => status)).toEqual(Array(5).fill('done'))
  })
})
