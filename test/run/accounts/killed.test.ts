import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, jest, test } from '@jest/globals'
import { sleep } from '../../../src/flow/signals/sleep.ts'
import { project, ROOT } from '../../cli/support/command.ts'
import { COMPILE_CACHE } from '../../support/compile-cache.ts'
import { testDatabase } from '../../support/database.ts'
import { moment, orders, shopApi, shopsJson } from './support.ts'

jest.setTimeout(60_000)

const FILE = `
import { accounts, bearer, byPage, http, pipeline, since } from 'SLUICE'

export default pipeline('shops', {
  for: accounts('SHOPS'),
  streams: (account) => {
    const api = http(process.env.API, { auth: bearer(account.secret('TOKEN')), rate: '40/s' })
    const orders = api.get('/orders', { since }).pages(byPage('page', { pages: 'pages' })).records('orders')
    return { orders: orders.incremental('updated', { lookback: 0 }).into('shop.orders', { key: 'id' }) }
  },
})
`
const NAMES = ['east', 'north', 'south', 'west']

test('a run of four accounts that is killed continues each where it was committed', async () => {
  const counts = new Map(NAMES.map((name, index) => [name, 60 + index]))
  await using api = await shopApi((account) =>
    orders(account, counts.get(account) ?? 0, 1_000 * NAMES.indexOf(account)),
  )
  await using test = await testDatabase()
  await using at = await project({ 'pipelines/shops.ts': FILE })
  const env = { API: api.origin, DATABASE_URL: test.url, SHOPS: shopsJson(NAMES) }
  const args = ['run', 'shops', '--batch-rows', '5', '--json']
  const main = join(ROOT, 'src/cli/main.ts')
  const child = spawn(process.execPath, [main, ...args], {
    cwd: at.cwd,
    env: { PATH: process.env['PATH'] ?? '', ...COMPILE_CACHE, ...env },
    stdio: 'ignore',
  })
  const ended = once(child, 'exit')
  const open = async () =>
    test.database.query<{ pipeline: string; batches: string }>(
      `select pipeline, batches from sluice.slices where status = 'open' and batches >= 3 order by pipeline`,
    )
  for (let waited = 0; (await open()).length < 4 && waited < 30_000; waited += 20) await sleep(20)
  child.kill('SIGKILL')
  await ended
  // All four were being read, and none had come to its end.
  expect((await open()).map(({ pipeline }) => pipeline)).toEqual(NAMES.map((name) => `shops@${name}`))
  const committed = await test.database.query<{ account: string; rows: number }>(
    'select account, count(*)::int as rows from shop.orders group by 1 order by 1',
  )
  const before = new Map(NAMES.map((name) => [name, api.arrived.get(name)?.length ?? 0]))

  const again = await at.sluice(args, env)
  expect(again).toMatchObject({ code: 0 })
  const reports = again.stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { account: string; streams: { orders: { resumed: boolean } } })
  expect(reports.map(({ account, streams }) => `${account} ${streams.orders.resumed}`).toSorted()).toEqual(
    NAMES.map((name) => `${name} true`),
  )
  expect(
    await test.database.query(
      `select account, count(*)::int as rows, count(distinct id)::int as ids, bool_and(account = "of") as own
         from shop.orders group by 1 order by 1`,
    ),
  ).toEqual(NAMES.map((account) => ({ account, rows: counts.get(account), ids: counts.get(account), own: true })))
  expect(await test.database.query('select pipeline, value from sluice.cursors order by 1')).toEqual(
    NAMES.map((name, index) => ({ pipeline: `shops@${name}`, value: moment(1_000 * index + 59 + index) })),
  )
  // Pages that were committed were not read again.
  for (const { account, rows } of committed) {
    const read = (api.arrived.get(account)?.length ?? 0) - (before.get(account) ?? 0)
    expect([account, read <= (counts.get(account) ?? 0) - rows + 3]).toEqual([account, true])
  }
})
