import { expect, test } from '@jest/globals'
import { setImmediate } from 'node:timers/promises'
import { accounts, type AccountsChange } from '../../src/index.ts'
import { openServer } from '../../src/server/open-server.ts'
import type { Summary } from '../../src/server/schemas/resources.ts'
import { orders, shopApi, shops } from '../run/accounts/support.ts'
import { testDatabase } from '../support/database.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { until } from './support.ts'

/** A server with the schedules of the accounts that `public.customers` names, and a clock that only `goOn` moves. */
async function served() {
  await using opening = new AsyncDisposableStack()
  const api = opening.use(await shopApi((account) => orders(account, 2)))
  const { database, url } = opening.use(await testDatabase({ max: 4 }))
  await database.query('create table public.customers (name text primary key, token text, rate text)')
  const add = (name: string, rate: string | null = null): Promise<unknown> =>
    database.query('insert into public.customers values ($1, $2, $3)', [name, `token-of-${name}`, rate])
  await add('north')
  await add('south')
  const clock = new FakeClock('2026-05-04T00:00:30Z')
  const changes: AccountsChange[] = []
  const errors: string[] = []
  const definition = {
    ...shops(api.origin, accounts({ query: 'select name, token, rate from public.customers' })),
    // Waiting ticks need no sleeper that watches for them.
    schedule: { cron: '* * * * *', overlap: 'wait' } as const,
  }
  const server = opening.use(
    await openServer([definition], {
      port: 0,
      database: url,
      environment: {},
      schedule: true,
      clock,
      onAccounts: (change) => void changes.push(change),
      onError: (error) => void errors.push(String(error)),
    }),
  )
  await until(() => clock.sleepers === 3, 'two loops sleep, and the one that reads the accounts again')
  const text = async (path: string): Promise<string> => (await fetch(server.url + path)).text()
  const opened = opening.move()
  return {
    api,
    database,
    changes,
    errors,
    add,
    text,
    start: async (pipeline: string) => {
      const answer = await fetch(`${server.url}/api/runs`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ pipeline }),
      })
      return `${answer.status} ${await answer.text()}`
    },
    /** Returns loaded pipelines with a mark, others without, and the findings of each. */
    shown: async () => {
      const { pipelines } = JSON.parse(await text('/api/summary')) as Summary
      return Object.fromEntries(
        pipelines.map(({ pipeline, loaded, findings }) => [
          `${pipeline}${loaded ? ' loaded' : ''}`,
          findings.map(({ kind, message }) => `${kind}: ${message}`).join('\n'),
        ]),
      )
    },
    /** Goes on to a minute, and waits until the runs of its ticks have ended: each loop sleeps again. */
    goOn: async (minute: string, { loops }: { readonly loops: number }): Promise<void> => {
      await clock.goOn(`2026-05-04T00:${minute}Z`, () => 1, { signal: AbortSignal.timeout(30_000) })
      await setImmediate()
      // The other one reads the accounts again.
      await until(() => clock.sleepers === loops + 1, `${loops} loops sleep`)
    },
    /** Returns the ticks of a minute, as `north done`. */
    ticks: async (minute: string) => {
      const rows = await database.query<{ text: string }>(
        `select split_part(pipeline, '@', 2) || ' ' || status || coalesce(': ' || note, '') as text from sluice.ticks
          where tick = $1 order by pipeline`,
        [`2026-05-04T00:${minute}Z`],
      )
      return rows.map((row) => row.text)
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

test('a server sees accounts that come and go, at the next tick and without a restart', async () => {
  await using rig = await served()
  await rig.goOn('01:00', { loops: 2 })
  expect(await rig.ticks('01:00')).toEqual(['north done', 'south done'])

  // The minute in which all accounts are read again is over.
  await rig.goOn('01:45', { loops: 2 })
  await rig.add('east')
  await rig.goOn('02:00', { loops: 3 })
  expect(await rig.ticks('02:00')).toEqual(['east done', 'north done', 'south done'])
  expect(rig.changes).toEqual([{ pipeline: 'shops', added: ['shops@east'], removed: [] }])
  expect(await rig.shown()).toEqual({ 'shops@north loaded': '', 'shops@south loaded': '', 'shops@east loaded': '' })
  expect(await rig.text('/metrics')).toContain('sluice_accounts{pipeline="shops",state="ready"} 3')
  // The secrets of an account are hidden from then on.
  expect(await rig.start('token-of-west')).toMatch(/^404 .*token-of-west/)
  expect(await rig.start('token-of-east')).toMatch(/^404 .*\{secret:/)

  await rig.database.query(`delete from public.customers where name = 'north'`)
  const north = rig.api.arrived.get('north')?.length
  await rig.goOn('03:00', { loops: 2 })
  expect(await rig.ticks('03:00')).toEqual(['east done', 'south done'])
  expect(rig.api.arrived.get('north')).toHaveLength(north!)
  expect(rig.changes[1]).toEqual({ pipeline: 'shops', added: [], removed: ['shops@north'] })
  expect(await rig.shown()).toEqual({ 'shops@south loaded': '', 'shops@east loaded': '', 'shops@north': '' })
  expect(await rig.start('shops@north')).toMatch(/^404 /)

  // A run that a request starts needs no tick.
  await rig.goOn('03:10', { loops: 2 })
  await rig.add('west')
  expect(await rig.start('shops@west')).toMatch(/^202 /)
  expect(rig.errors).toEqual([])
}, 60_000)

test('a server whose accounts cannot be read fails their runs, and tries again at the next tick', async () => {
  await using rig = await served()
  await rig.goOn('01:00', { loops: 2 })
  await rig.database.query('alter table public.customers rename to clients')
  const before = rig.api.arrived.get('north')?.length
  await rig.goOn('02:00', { loops: 2 })
  const reason = 'shops: the query of its accounts failed: relation "public.customers" does not exist'
  expect(await rig.ticks('02:00')).toEqual(
    ['north', 'south'].map((name) => expect.stringContaining(`${name} failed: ${reason}`)),
  )
  expect(rig.api.arrived.get('north')).toHaveLength(before!)
  const finding = expect.stringContaining(`tick failed: the run of 2026-05-04T00:02:00.000Z could not start: ${reason}`)
  expect(await rig.shown()).toEqual({ 'shops@north loaded': finding, 'shops@south loaded': finding })
  expect(await rig.text('/metrics')).toContain('sluice_accounts_readable{pipeline="shops"} 0')
  expect(await rig.start('shops@north')).toMatch(/^503 .*the accounts of shops cannot be read: /)
  const warning = `Error: shops: its accounts cannot be read, and its runs fail until they can be: ${reason}`
  expect(rig.errors).toEqual([expect.stringContaining(warning)])

  await rig.database.query('alter table public.clients rename to customers')
  await rig.add('east')
  await rig.goOn('03:00', { loops: 3 })
  expect(await rig.ticks('03:00')).toEqual(['east done', 'north done', 'south done'])
  expect(await rig.text('/metrics')).toContain('sluice_accounts_readable{pipeline="shops"} 1')
  expect(rig.errors).toHaveLength(1)
}, 60_000)

test('a server shows an account that cannot run, and runs it once it can', async () => {
  await using rig = await served()
  await rig.add('east', 'often')
  await rig.database.query(`update public.customers set rate = 'often' where name = 'south'`)
  await rig.goOn('01:00', { loops: 2 })
  expect(await rig.ticks('01:00')).toEqual([
    'north done',
    expect.stringMatching(/^south failed: .*shops@south: .*"often" is not a rate/),
  ])
  const { 'shops@east': east, 'shops@south': south, ...others } = await rig.shown()
  expect(others).toEqual({ 'shops@north loaded': '' })
  expect([east, south]).toEqual([
    expect.stringContaining('account: shops@east: '),
    expect.stringContaining('account: shops@south: '),
  ])
  expect(rig.errors).toHaveLength(2)
  expect(await rig.text('/metrics')).toContain('sluice_accounts{pipeline="shops",state="failed"} 2')
  expect(await rig.start('shops@east')).toMatch(/^409 /)

  await rig.database.query('update public.customers set rate = null')
  await rig.goOn('02:00', { loops: 3 })
  expect(await rig.ticks('02:00')).toEqual(['east done', 'north done', 'south done'])
  expect(await rig.shown()).toEqual({ 'shops@north loaded': '', 'shops@south loaded': '', 'shops@east loaded': '' })
}, 60_000)
