import { describe, expect, jest, test } from '@jest/globals'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openDatabase, type Database } from '../../src/database/database.ts'
import { overviewBackfills } from '../../src/ledger/read/backfill-overview.ts'
import { readRejects } from '../../src/ledger/read/read-rejects.ts'
import { prune, pruneWhenDue, type Retention } from '../../src/ledger/prune.ts'
import { backfillPipeline } from '../../src/run/backfill/backfill-pipeline.ts'
import { dryRunBackfill } from '../../src/run/backfill/dry-run.ts'
import { RETENTION, retentionOf } from '../../src/run/retention.ts'
import { runPipeline } from '../../src/run/run-pipeline.ts'
import { readStatusParts, statusOf } from '../../src/run/status/status.ts'
import { testDatabase } from '../support/database.ts'
import { faultyApi, oldLedger, shopOf, STREAMS, troubledLedger, twins, type Api } from './troubled-ledger.ts'

jest.setTimeout(300_000)

const signal = new AbortController().signal
/** Everything that a user sees of the ledger, besides the lists of what has been. */
async function seen(database: Database, api: Api): Promise<unknown> {
  const shop = shopOf(api)
  const parts = await readStatusParts([shop], database)
  return {
    parts: { ...parts, readings: [...parts.readings] },
    findings: statusOf([shop], parts, { now: new Date('2026-01-01') }).findings,
    backfills: await overviewBackfills(database),
    rejects: await readRejects(database),
    open: await database.query(`select id, position::text from sluice.slices where status = 'open' order by id`),
  }
}

const countsOf = async (database: Database): Promise<Record<string, number>> => {
  const counts: Record<string, number> = {}
  for (const table of ['runs', 'slices', 'rejects', 'events', 'ticks']) {
    const { n } = await database.one<{ n: string }>(`select count(*) as n from sluice.${table}`)
    counts[table] = Number(n)
  }
  return counts
}

describe('a pruned ledger behaves as the whole one', () => {
  test.each([1, 2, 3])('after every trouble, in the order of seed %i', async (seed) => {
    await using api = await faultyApi()
    await using urls = await twins((url) => troubledLedger(url, api, seed))
    await using whole = await openDatabase({ url: urls.whole })
    await using pruned = await openDatabase({ url: urls.pruned })
    const before = await countsOf(pruned)

    const planned = await prune(pruned, RETENTION, { dryRun: true, signal })
    expect(await countsOf(pruned)).toEqual(before)
    const removed = await prune(pruned, RETENTION, { signal })
    expect(removed).toEqual(planned)
    const after = await countsOf(pruned)
    for (const [table, n] of Object.entries(after))
      expect([table, before[table]! - n]).toEqual([table, removed[table as 'runs']])
    expect(removed.slices).toBeGreaterThan(600)
    expect(removed.runs).toBeGreaterThan(200)
    expect(await prune(pruned, RETENTION, { signal })).toMatchObject({ runs: 0, slices: 0, rejects: 0 })

    expect(await seen(pruned, api)).toEqual(await seen(whole, api))
    const shop = shopOf(api)
    const next = async (url: string): Promise<unknown> => {
      const first = api.requests.length
      const plan = await dryRunBackfill(shop, {
        database: url,
        environment: {},
        stream: 'a',
        from: '2024-01-02',
        to: '2024-01-07',
        window: '1d',
        only: 'missing',
      })
      const { streams } = await runPipeline(shop, { database: url, environment: {} })
      const again = await backfillPipeline(shop, {
        database: url,
        environment: {},
        stream: 'b',
        from: '2024-01-01',
        to: '2024-01-05',
        window: '4d',
      })
      const read = Object.entries({ ...streams, again: again.streams.b }).map(([name, report]) => {
        const { status, counts, since: from, cursor, resumed, warnings, error } = report
        return { name, status, counts, from, cursor, resumed, warnings, error }
      })
      const asked = api.requests.slice(first).map(({ url: path }) => path)
      return { plan: plan.map(({ windows }) => windows), read, asked: asked.toSorted() }
    }
    expect(await next(urls.pruned)).toEqual(await next(urls.whole))
    const rows = STREAMS.map((name) => `select id, at, amount from shop.${name}`).join(' union all ')
    expect(await pruned.query(`${rows} order by 1, 2`)).toEqual(await whole.query(`${rows} order by 1, 2`))
  })
})

describe('pruning', () => {
  test('a process that is killed in the middle does no harm', async () => {
    await using urls = await twins(oldLedger)
    await using whole = await openDatabase({ url: urls.whole })
    await using killed = await openDatabase({ url: urls.pruned })
    const all = await countsOf(killed)
    const main = join(import.meta.dirname, '../../src/cli/main.ts')
    const child = spawn(process.execPath, [main, 'prune'], {
      env: { ...process.env, DATABASE_URL: urls.pruned },
      stdio: 'ignore',
    })
    const ended = new Promise((resolve) => child.once('exit', (_, name) => resolve(name)))
    // A row that is locked, which each batch passes over, is removed by the next pass.
    await using blocking = await killed.transaction()
    await blocking.query('select from sluice.slices where id = (select min(id) + 500 from sluice.slices) for update')
    while ((await countsOf(killed))['slices'] === all['slices'] && child.exitCode === null) await sleep(5)
    child.kill('SIGKILL')
    await ended
    await blocking[Symbol.asyncDispose]()
    // The server may still be at the last statement of the killed process, whose rows the next pass would leave out.
    const busy = `select from pg_stat_activity
      where datname = current_database() and state <> 'idle' and pid <> pg_backend_pid()`
    while ((await killed.query(busy)).length > 0) await sleep(5)
    const half = await countsOf(killed)
    expect(half['slices']).toBeLessThan(all['slices']!)
    await prune(killed, RETENTION, { signal })
    await prune(whole, RETENTION, { signal })
    for (const table of ['runs', 'slices', 'rejects'])
      expect(await killed.query(`select id from sluice.${table} order by id`)).toEqual(
        await whole.query(`select id from sluice.${table} order by id`),
      )
  })

  test('many processes prune once an hour, and soon again if the time was too short', async () => {
    await using urls = await twins(oldLedger)
    await using database = await openDatabase({ url: urls.pruned })
    const due = async (): Promise<number> => {
      const { minutes } = await database.one<{ minutes: number }>(
        `select extract(epoch from due_at - clock_timestamp())::float8 / 60 as minutes from sluice.pruning`,
      )
      return minutes
    }
    const at = 'update sluice.pruning set due_at = clock_timestamp()'
    await database.query(at)
    const short = await Promise.all([1, 2, 3].map(() => pruneWhenDue(database, RETENTION, { budgetMs: 0, signal })))
    expect(short.filter(Boolean)).toHaveLength(1)
    expect(await due()).toBeLessThanOrEqual(1)
    expect(await pruneWhenDue(database, RETENTION, { signal })).toBe(false)
    await database.query(at)
    expect(await pruneWhenDue(database, RETENTION, { budgetMs: 60_000, signal })).toBe(true)
    expect(await due()).toBeGreaterThan(50)
    const left = await countsOf(database)
    await prune(database, RETENTION, { signal })
    expect(await countsOf(database)).toEqual(left)
  })

  test('a run removes what is old at its end, and keeps for ever what it is told to', async () => {
    await using api = await faultyApi()
    await using urls = await twins((url) => troubledLedger(url, api, 9))
    await using database = await openDatabase({ url: urls.whole })
    const before = await countsOf(database)
    const forever = { SLUICE_KEEP_RUNS: 'forever', SLUICE_KEEP_EVENTS: 'forever', SLUICE_KEEP_REJECTS: 'forever' }
    await runPipeline(shopOf(api), { database: urls.whole, environment: forever })
    const kept = await countsOf(database)
    for (const [table, n] of Object.entries(before)) expect(kept[table]).toBeGreaterThanOrEqual(n)
    // On a busy machine the time of one pass is too short, and the next one continues.
    for (let pass = 0; pass < 20 && (await countsOf(database))['runs']! >= kept['runs']! - 200; pass++) {
      await database.query('update sluice.pruning set due_at = clock_timestamp()')
      await runPipeline(shopOf(api), { database: urls.whole, environment: {} })
    }
    expect((await countsOf(database))['runs']).toBeLessThan(kept['runs']! - 200)
  })
})

test('events are kept for seven days, and an interrupted tick for ever', async () => {
  await using target = await testDatabase()
  await target.database.query(
    `insert into sluice.events (at, type, data)
     select clock_timestamp() - n * interval '1 day', 'warning', '{}' from generate_series(1, 10) as n`,
  )
  await target.database.query(`insert into sluice.schedules (pipeline, registered_at) values ('shop', '2020-01-01Z')`)
  await target.database.query(
    `insert into sluice.ticks (pipeline, tick, status, finished_at)
     select 'shop', clock_timestamp() - n * interval '10 days',
            case n when 9 then 'interrupted' when 4 then 'done' when 5 then 'skipped' else 'missed' end,
            clock_timestamp() - n * interval '10 days' from generate_series(4, 10) as n`,
  )
  expect(await prune(target.database, RETENTION, { signal })).toMatchObject({ events: 4, ticks: 5 })
  expect(await target.database.query('select status from sluice.ticks order by tick')).toEqual([
    { status: 'interrupted' },
    { status: 'done' },
  ])
})

test('deleted rows are kept until their own time has passed', async () => {
  await using target = await testDatabase()
  await target.database.query(
    `insert into sluice.deleted_rows (table_name, key, pipeline, stream, slice, reason, expires_at)
     select 't.items', n::text, 'shop', 'items', 1, 'announced', clock_timestamp() + (n - 3.5) * interval '1 day'
       from generate_series(1, 6) as n`,
  )
  expect(await prune(target.database, RETENTION, { dryRun: true, signal })).toMatchObject({ deletedRows: 3 })
  expect(await prune(target.database, RETENTION, { signal })).toMatchObject({ deletedRows: 3 })
  const keys = await target.database.query('select key from sluice.deleted_rows order by key')
  expect(keys).toEqual([{ key: '4' }, { key: '5' }, { key: '6' }])
})

describe('retention', () => {
  const day = 86_400_000

  test('settings are durations, or forever', () => {
    expect(retentionOf({})).toEqual(RETENTION)
    const expected: Retention = { runsMs: 90 * day, eventsMs: Infinity, rejectsMs: 2 * day }
    expect(retentionOf({ SLUICE_KEEP_RUNS: '90d', SLUICE_KEEP_EVENTS: 'forever', SLUICE_KEEP_REJECTS: '48h' })).toEqual(
      expected,
    )
  })

  test.each([
    [
      'SLUICE_KEEP_RUNS',
      '30',
      `SLUICE_KEEP_RUNS: "30" is no duration: write a number and one of ms, s, m, h, d, w, as in '5m', or forever`,
    ],
    [
      'SLUICE_KEEP_EVENTS',
      '1h',
      `SLUICE_KEEP_EVENTS is '1h', and must be at least 1d. To keep everything, write forever`,
    ],
    [
      'SLUICE_KEEP_RUNS',
      '99999999d',
      `SLUICE_KEEP_RUNS is '99999999d', and must be at most 36500d. To keep everything, write forever`,
    ],
  ])('%s=%s is refused', (name, value, message) => {
    expect(() => retentionOf({ [name]: value })).toThrow(message)
  })

  test('a run with a wrong setting does not begin', async () => {
    await using api = await faultyApi()
    await using target = await testDatabase()
    const environment = { SLUICE_KEEP_RUNS: 'long' }
    await expect(runPipeline(shopOf(api), { database: target.url, environment })).rejects.toThrow(/^SLUICE_KEEP_RUNS: /)
    expect(api.requests).toHaveLength(0)
  })
})
