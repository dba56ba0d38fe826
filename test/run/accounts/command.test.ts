import { describe, expect, jest, test } from '@jest/globals'
import { pause } from '../../../src/ledger/pauses.ts'
import { callSluice } from '../../cli/support/call.ts'
import { project, type Ended } from '../../cli/support/command.ts'
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

interface Here extends AsyncDisposable {
  readonly sluice: (args: readonly string[], env: Readonly<Record<string, string>>) => Promise<Ended>
}

/** A folder with pipelines, and the command in it, called in this process. */
async function here(files: Record<string, string> = { shops: FILE, plain: PLAIN }): Promise<Here> {
  const { cwd, ...at } = await project(
    Object.fromEntries(Object.entries(files).map(([name, text]) => [`pipelines/${name}.ts`, text])),
  )
  return {
    sluice: (args, env) => callSluice(args, { cwd, env }),
    [Symbol.asyncDispose]: () => at[Symbol.asyncDispose](),
  }
}
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
        ['shops@west', 'west', 'failed'],
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
    // A pause of one account is no failure of a run of all.
    await pause(test.database, { pipeline: 'shops@north' }, { who: 'ada@host' })
    const both = ['run', 'shops', '--account', 'north,south']
    const json = await at.sluice([...both, '--json'], env)
    expect(lines(json.stdout).map(({ account, status }) => [account, status])).toEqual(
      expect.arrayContaining([
        ['north', 'not run'],
        ['south', 'done'],
      ]),
    )
    for (const ended of [json, await at.sluice(both, env)])
      expect(ended).toMatchObject({ code: 0, stdout: expect.stringContaining('shops@north is paused by ada@host') })
    await pause(test.database, { pipeline: 'shops' }, { who: 'ada@host' })
    expect((await at.sluice(both, env)).code).toBe(1)
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

test('a secret of the JSON is hidden in an error of the pipeline', async () => {
  const telling = FILE.replace(
    'const api',
    "if (account.name === 'north') throw new Error(account.value('token'))\n    const api",
  )
  await using at = await here({ shops: telling })
  const listed = await at.sluice(['list'], { API: 'http://127.0.0.1:1', SHOPS: shopsJson(['north', 'south']) })
  expect(listed.stderr).toContain('shops@north: {secret:TOKEN of north}')
  expect(listed.stderr + listed.stdout).not.toContain('token-of-')
  expect(listed.stdout).toContain('1: south')
  expect(listed.code).toBe(2)
})

describe('other commands', () => {
  test('take an account, and show each', async () => {
    await using api = await shopApi((account) => orders(account, 3))
    await using test = await testDatabase()
    await using at = await here()
    const env = { API: api.origin, DATABASE_URL: test.url, SHOPS: shopsJson(['north', 'south']) }
    expect((await at.sluice(['run', 'shops', '--quiet'], env)).code).toBe(0)

    const listed = await at.sluice(['list', '--json'], env)
    expect(JSON.parse(listed.stdout)).toEqual([
      expect.objectContaining({ pipeline: 'plain' }),
      expect.objectContaining({ pipeline: 'shops', accounts: ['north', 'south'] }),
    ])
    expect((await at.sluice(['list'], env)).stdout).toMatch(
      /shops\.orders +shop\.orders +merge +shop, id +2: north, south/,
    )
    expect((await at.sluice(['list', '--verbose'], env)).stdout).toContain('accounts: north, south (shown: north)')

    const shown = await at.sluice(['status', 'shops', '--account', 'south', '--json'], env)
    expect(JSON.parse(shown.stdout)).toMatchObject({
      ok: true,
      streams: [
        { pipeline: 'shops@south', stream: 'orders' },
        { pipeline: 'shops@south', stream: 'again' },
      ],
    })
    const runs = JSON.parse((await at.sluice(['runs', 'shops', '--json'], env)).stdout) as { pipeline: string }[]
    expect(runs.map(({ pipeline }) => pipeline).toSorted()).toEqual(['shops@north', 'shops@south'])
    expect((await at.sluice(['runs', 'shops@north'], env)).stdout).toContain('shops@north')

    const checked = await at.sluice(['check', 'shops', '--account', 'north'], env)
    expect(checked.stdout).toContain('shops@north.orders')
    expect(checked.stdout).not.toContain('south')
    expect(checked.code).toBe(0)

    const preview = await at.sluice(['preview', 'shops.orders', '--account', 'south', '--json'], env)
    expect(lines(preview.stdout)[0]).toMatchObject({ id: 1, of: 'south', shop: 'south' })
    expect(await at.sluice(['preview', 'shops.orders'], env)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('shops has several accounts. Choose one, as in shops@north or --account north'),
    })
    expect((await at.sluice(['run', 'shops', '--dry-run'], env)).stdout).toContain('shops@south.orders: from the start')
  })

  test('a backfill reads its windows of each account', async () => {
    await using api = await shopApi((account) => orders(account, 3))
    await using test = await testDatabase()
    const windows = FILE.replaceAll("orders.into('shop.", "orders.incremental('updated').into('shop.")
      .replace("get('/orders')", "get('/orders', { since, until })")
      .replace('pipeline }', 'pipeline, since, until }')
    await using at = await here({ shops: windows })
    const env = { API: api.origin, DATABASE_URL: test.url, SHOPS: shopsJson(['north', 'south']) }
    const args = ['backfill', 'shops.orders', '--from', '2024-01-01', '--to', '2024-01-03']
    const planned = await at.sluice([...args, '--dry-run', '--json'], env)
    expect(JSON.parse(planned.stdout)).toEqual([
      expect.objectContaining({ pipeline: 'shops@north', toRead: 2 }),
      expect.objectContaining({ pipeline: 'shops@south', toRead: 2 }),
    ])
    const one = await at.sluice([...args, '--json', '--account', 'south'], env)
    expect(lines(one.stdout)).toEqual([expect.objectContaining({ pipeline: 'shops@south', status: 'done' })])
    const both = await at.sluice([...args, '--json'], env)
    expect(both.code).toBe(0)
    expect(
      await test.database.query('select pipeline, count(*)::int as windows from sluice.slices group by 1 order by 1'),
    ).toEqual(['shops@north', 'shops@south'].map((pipeline) => ({ pipeline, windows: 2 })))
    expect(
      await test.database.query('select shop, count(*)::int as rows from shop.orders group by 1 order by 1'),
    ).toEqual(['north', 'south'].map((shop) => ({ shop, rows: 3 })))
  })
})
