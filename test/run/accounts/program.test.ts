import { mkdtempDisposable, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, jest, test } from '@jest/globals'
import {
  accounts,
  AccountsFailedError,
  backfill,
  readStatus,
  run,
  runSchedule,
  serve,
  type ScheduleEvent,
} from '../../../src/index.ts'
import { sleep } from '../../../src/flow/signals/sleep.ts'
import { testDatabase } from '../../support/database.ts'
import { orders, shopApi, shops, shopsJson } from './support.ts'

jest.setTimeout(60_000)

/** Waits until a condition holds. */
const until = async (is: () => boolean): Promise<void> => {
  for (let waited = 0; !is() && waited < 40_000; waited += 50) await sleep(50)
  expect(is()).toBe(true)
}

describe('a program', () => {
  test('reads a range of each account, and gets the report of each', async () => {
    await using api = await shopApi(
      (account) => orders(account, 3),
      (account) => (account === 'south' ? 401 : 200),
    )
    await using test = await testDatabase()
    const environment = { SHOPS: shopsJson(['north', 'south', 'east']) }
    const range = { from: '2024-01-01', to: '2024-01-03', database: test.url, environment }
    const definition = shops(api.origin)
    const plans = await backfill(definition, { ...range, dryRun: true })
    expect(plans.map(({ pipeline, toRead }) => [pipeline, toRead])).toEqual([
      ['shops@north', 2],
      ['shops@south', 2],
      ['shops@east', 2],
    ])
    expect(api.arrived.size).toBe(0)
    const report = await backfill(definition, { ...range, accounts: ['north', 'south'], throwOnFailure: false })
    expect(report).toMatchObject({
      status: 'failed',
      accounts: {
        north: { status: 'done', kind: 'backfill', streams: { orders: { counts: { inserted: 3 } } } },
        south: { status: 'failed', pipeline: 'shops@south' },
      },
      notStarted: {},
    })
    expect([...api.arrived.keys()].toSorted()).toEqual(['north', 'south'])
    await expect(backfill(definition, range)).rejects.toThrow('shops: 1 of 3 accounts failed')
    expect(await test.database.query('select account, count(*)::int from shop.orders group by 1 order by 1')).toEqual([
      { account: 'east', count: 3 },
      { account: 'north', count: 3 },
    ])
  })

  test('runs the accounts of a pipeline and gets the report of each', async () => {
    await using api = await shopApi(
      (account) => orders(account, 2),
      (account) => (account === 'south' ? 401 : 200),
    )
    await using test = await testDatabase()
    const environment = {
      SHOPS: '[{"name": "north", "token": "token-of-north"}, {"name": "south", "token": "token-of-south"}, "west"]',
    }
    const seen = new Set<string>()
    const report = await run(shops(api.origin), {
      database: test.url,
      environment,
      throwOnFailure: false,
      onEvent: (event, account) => void (event.type === 'run.started' && seen.add(account)),
    })
    expect(report).toMatchObject({
      pipeline: 'shops',
      status: 'failed',
      accounts: {
        north: { status: 'done', account: 'north', streams: { orders: { counts: { inserted: 2 } } } },
        south: { status: 'failed', pipeline: 'shops@south' },
      },
      notStarted: { west: expect.stringContaining('shops@west.orders: secret SHOPS_WEST_TOKEN is not set') },
    })
    expect(JSON.stringify(report)).not.toContain('token-of-')
    expect([...seen].toSorted()).toEqual(['north', 'south'])
    const failing = run(shops(api.origin), { database: test.url, environment })
    await expect(failing).rejects.toThrow(AccountsFailedError)
    await expect(failing).rejects.toThrow('shops: 2 of 3 accounts failed')
    expect((await readStatus([shops(api.origin)], { database: test.url, environment })).streams).toMatchObject([
      { pipeline: 'shops@north', state: 'done' },
      { pipeline: 'shops@south', state: 'failed' },
      { pipeline: 'shops@west', state: 'never ran' },
    ])
  })

  test('names accounts by a query of the database, which is read at each run', async () => {
    await using api = await shopApi((account) => orders(account, 2))
    await using test = await testDatabase()
    await test.database.query('create table public.customers (name text, token text, active boolean)')
    await test.database.query(
      `insert into public.customers values ('north', 'token-of-north', true), ('south', 'token-of-south', false)`,
    )
    const from = accounts({ query: 'select name, token from public.customers where active' })
    const statuses = async () =>
      Object.entries((await run(shops(api.origin, from), { database: test.url, environment: {} })).accounts).map(
        ([account, { streams }]) => [account, streams['orders']?.counts.fetched],
      )
    expect(await statuses()).toEqual([['north', 2]])
    await test.database.query('update public.customers set active = true')
    expect(await statuses()).toEqual([
      ['north', 1],
      ['south', 2],
    ])
    await test.database.query('delete from public.customers')
    await expect(statuses()).rejects.toThrow('shops: the query of its accounts: there is no account')
    const writing = accounts({ query: `insert into public.customers values ('a', 'b', true) returning name` })
    await expect(run(shops(api.origin, writing), { database: test.url, environment: {} })).rejects.toThrow(
      'shops: the query of its accounts failed: it changes the database',
    )
  })

  test('names accounts by a file, whose changes a scheduler finds', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'sluice-accounts-'))
    const file = join(folder.path, 'shops.json')
    await writeFile(file, shopsJson(['north', 'south']))
    await using api = await shopApi((account) => orders(account, 2))
    await using test = await testDatabase()
    const definition = { ...shops(api.origin, accounts({ file })), schedule: '* * * * *' as const }
    expect((await run(definition, { database: test.url, environment: {} })).status).toBe('done')

    // Each minute passes in a moment; the ticks are those of this clock.
    let now = Date.UTC(2024, 0, 1, 0, 0, 30)
    const stop = new AbortController()
    const clock = {
      now: () => new Date(now),
      sleep: async (ms: number, { signal }: { signal: AbortSignal }) => {
        const until = now + ms
        while (now < until) {
          await sleep(20, { signal })
          now += 2_000
        }
      },
    }
    const events: ScheduleEvent[] = []
    const running = runSchedule([definition], {
      database: test.url,
      environment: {},
      clock,
      signal: stop.signal,
      onEvent: (event) => void events.push(event),
    })
    const finished = (pipeline: string) =>
      events.filter((event) => event.type === 'tick.finished' && event.pipeline === pipeline && event.status === 'done')
    await until(() => finished('shops@north').length > 0 && finished('shops@south').length > 0)
    await writeFile(file, shopsJson(['south', 'west']))
    await until(() => finished('shops@west').length > 0)
    expect(events.find(({ type }) => type === 'accounts.changed')).toEqual({
      type: 'accounts.changed',
      pipeline: 'shops',
      added: ['shops@west'],
      removed: ['shops@north'],
    })
    const north = events.filter((event) => 'tick' in event && event.pipeline === 'shops@north').length
    await writeFile(file, 'broken [')
    const failed = (pipeline: string) =>
      events.some((event) => event.type === 'tick.finished' && event.pipeline === pipeline && event.status === 'failed')
    await until(() => failed('shops@south') && failed('shops@west'))
    expect(events.filter((event) => event.type === 'warning')).toEqual([
      {
        type: 'warning',
        pipeline: 'shops',
        message: expect.stringContaining('its accounts cannot be read, and its runs fail until they can be: shops: '),
      },
    ])
    const south = finished('shops@south').length
    await writeFile(file, shopsJson(['south', 'west']))
    await until(() => finished('shops@south').length > south)
    expect(events.filter((event) => 'tick' in event && event.pipeline === 'shops@north')).toHaveLength(north)
    stop.abort()
    await running
  })

  test('serves each account as a pipeline of its own', async () => {
    await using api = await shopApi((account) => orders(account, 2))
    await using test = await testDatabase()
    const environment = { SHOPS: shopsJson(['north', 'south']) }
    await using server = await serve(shops(api.origin), { database: test.url, environment, port: 0 })
    const started = await fetch(`${server.url}/api/runs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ pipeline: 'shops@north' }),
    })
    expect(started.status).toBe(202)
    const { run: id } = (await started.json()) as { run: string }
    for (let waited = 0; waited < 20_000; waited += 100) {
      const shown = (await (await fetch(`${server.url}/api/runs/${id}`)).json()) as { status: string }
      if (shown.status !== 'running') break
      await sleep(100)
    }
    const summary = (await (await fetch(`${server.url}/api/summary`)).json()) as {
      pipelines: { pipeline?: string; name?: string; streams: { rows?: number; lastSuccess: unknown }[] }[]
    }
    expect(
      summary.pipelines.map((one) => [
        one.name ?? one.pipeline,
        one.streams.map(({ lastSuccess }) => lastSuccess !== null),
      ]),
    ).toEqual([
      ['shops@north', [true]],
      ['shops@south', [false]],
    ])
    expect((await fetch(`${server.url}/api/runs?pipeline=shops@north`)).status).toBe(200)
    // An export has the rows of the account alone.
    await run(shops(api.origin), { database: test.url, environment })
    const exported = await (await fetch(`${server.url}/api/streams/shops@south/orders/records`)).text()
    const rows = exported
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { account: string })
    expect(rows.map(({ account }) => account)).toEqual(['south', 'south'])
  })
})
