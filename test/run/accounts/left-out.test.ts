// Accounts that do not run: a command says so, whatever its options are.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, jest, test } from '@jest/globals'
import { project } from '../../cli/support/command.ts'
import { hasTerminal, inTerminal } from '../../cli/support/terminal.ts'
import { testDatabase } from '../../support/database.ts'
import { orders, shopApi } from './support.ts'

jest.setTimeout(60_000)

const shops = (url: string): string => `
import { accounts, bearer, byPage, http, pipeline } from 'SLUICE'

export default pipeline('shops', {
  for: accounts('SHOPS'),
  streams: (account) => {
    const api = http(${url}, { auth: bearer(account.secret('TOKEN')), attempts: 1 })
    const orders = api.get('/orders').pages(byPage('page', { pages: 'pages' })).records('orders')
    return { orders: orders.into('shop.orders', { key: 'id' }) }
  },
})
`
const PLAIN = `
import { http, onePage, pipeline } from 'SLUICE'
const rows = http(process.env.API).get('/orders?page=1').pages(onePage()).records('orders')
export default pipeline('plain', { streams: { rows: rows.into('shop.plain', { key: 'id' }) } })
`

const inside = hasTerminal() ? describe : describe.skip

describe('sluice run', () => {
  test('--dry-run names an account without its values, and does not end with 0', async () => {
    await using api = await shopApi((account) => orders(account, 2))
    await using test = await testDatabase()
    await using at = await project({ 'pipelines/shops.ts': shops("account.value('URL')") })
    const env = {
      DATABASE_URL: test.url,
      SHOPS: 'north,south',
      SHOPS_NORTH_URL: api.origin,
      SHOPS_NORTH_TOKEN: 'token-of-north',
    }
    const ran = await at.sluice(['run', 'shops', '--dry-run'], env)
    expect(ran.stdout).toContain('shops@north.orders')
    expect(ran).toMatchObject({ code: 1, stderr: expect.stringContaining('SHOPS_SOUTH_URL is not set') })
  })

  test('--account is an error where no pipeline has accounts', async () => {
    await using at = await project({ 'pipelines/plain.ts': PLAIN })
    expect(await at.sluice(['run', '--account', 'north'], { API: 'http://127.0.0.1:9' })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('There is no pipeline with accounts'),
    })
  })
})

inside('sluice run on a terminal', () => {
  test('--summary-file has the error of an account that could not start', async () => {
    await using api = await shopApi((account) => orders(account, 2))
    await using test = await testDatabase()
    await using at = await project({ 'pipelines/shops.ts': shops('process.env.API') })
    const env = { API: api.origin, DATABASE_URL: test.url, SHOPS: 'north,south', SHOPS_NORTH_TOKEN: 'token-of-north' }
    await using terminal = await inTerminal(['run', 'shops', '--summary-file', 'summary.json'], { cwd: at.cwd, env })
    await terminal.ended
    const summary = JSON.parse(await readFile(join(at.cwd, 'summary.json'), 'utf8')) as {
      readonly reports: readonly { readonly pipeline: string }[]
      readonly errors: readonly unknown[]
    }
    expect(summary.reports.map(({ pipeline }) => pipeline)).toEqual(['shops@north'])
    expect(summary.errors).toEqual([
      { pipeline: 'shops@south', message: expect.stringContaining('SHOPS_SOUTH_TOKEN is not set') },
    ])
  })
})
