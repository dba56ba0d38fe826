import { describe, expect, jest, test } from '@jest/globals'
import { project, type Project } from '../../cli/support/command.ts'
import { testDatabase } from '../../support/database.ts'
import { orders, shopApi, shopsJson } from './support.ts'

jest.setTimeout(60_000)

const FILE = `
import { accounts, bearer, byPage, http, pipeline } from 'SLUICE'

export default pipeline('shops', {
  for: accounts('SHOPS', { column: 'shop' }),
  streams: (account) => {
    const api = http(process.env.API, { auth: bearer(account.secret('TOKEN')), attempts: 1 })
    const orders = api.get('/orders').pages(byPage('page', { pages: 'pages' })).records('orders')
    return { orders: orders.into('shop.orders', { key: 'id' }), again: orders.into('shop.again', { key: 'id' }) }
  },
})
`
const PLAIN = `
import { http, onePage, pipeline } from 'SLUICE'
const rows = http(process.env.API).get('/orders?page=1').pages(onePage()).records('orders')
export default pipeline('plain', { streams: { rows: rows.into('shop.plain', { key: 'id' }) } })
`

const here = (): Promise<Project> => project({ 'pipelines/shops.ts': FILE, 'pipelines/plain.ts': PLAIN })
const lines = (text: string): Record<string, unknown>[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

describe('sluice run', () => {
  test('runs each account, prints a report of each, and exits with 1 if one has failed', async () => {
    await using api = await shopApi((account) => orders(account, 2))
    await using test = await testDatabase()
    await using at = await here()
    // The third account has no token.
    const env = {
      API: api.origin,
      DATABASE_URL: test.url,
      SHOPS: 'north,south, west',
      SHOPS_NORTH_TOKEN: 'token-of-north',
      SHOPS_SOUTH_TOKEN: 'token-of-south',
    }
    const ran = await at.sluice(['run', 'shops', '--json'], env)
    expect(ran.stderr).toContain('shops@west.orders: secret SHOPS_WEST_TOKEN is not set')
    expect(ran.code).not.toBe(0)
    expect(lines(ran.stdout).map(({ pipeline, account, status }) => [pipeline, account, status])).toEqual(
      expect.arrayContaining([
        ['shops@north', 'north', 'done'],
        ['shops@south', 'south', 'done'],
      ]),
    )
    expect(
      await test.database.query('select shop, count(*)::int as rows from shop.orders group by 1 order by 1'),
    ).toEqual(['north', 'south'].map((shop) => ({ shop, rows: 2 })))
    expect((await at.sluice(['run', 'shops', '--account', 'north,south', '--json'], env)).code).toBe(0)
    const one = await at.sluice(['run', 'shops@south.orders', '--json'], env)
    expect(one).toMatchObject({ code: 0 })
    expect(lines(one.stdout)).toEqual([
      expect.objectContaining({ account: 'south', streams: { orders: expect.objectContaining({ status: 'done' }) } }),
    ])
    expect(await at.sluice(['run', 'shops', '--account', 'east'], env)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("shops has no account 'east': it has north, south, west"),
    })
    expect(await at.sluice(['run', 'plain', '--account', 'north'], env)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('plain has no accounts'),
    })
  })

  test('prints no secret of the JSON that names the accounts', async () => {
    await using api = await shopApi(
      () => [],
      (account) => (account === 'north' ? 401 : 200),
    )
    await using test = await testDatabase()
    await using at = await here()
    const env = { API: api.origin, DATABASE_URL: test.url, SHOPS: shopsJson(['north', 'south']) }
    const { stdout, stderr, code } = await at.sluice(['run', 'shops', '--verbose'], env)
    expect(code).toBe(1)
    expect(stdout).toContain('401')
    expect(stdout + stderr).not.toContain('token-of-')
    const dump = await test.database.query(
      `select row_to_json(e)::text as text from sluice.events as e
       union all select row_to_json(r)::text from sluice.runs as r`,
    )
    expect(JSON.stringify(dump)).not.toContain('token-of-')
    const broken = await at.sluice(['run', 'shops'], { ...env, SHOPS: '[{"name": "north", "token": "token-of-north" ' })
    expect(broken).toMatchObject({ code: 2, stderr: expect.stringContaining('shops: SHOPS: it begins like JSON') })
    expect(broken.stderr).not.toContain('token-of-')
  })
})
