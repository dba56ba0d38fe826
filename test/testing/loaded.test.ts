import { describe, expect, test } from '@jest/globals'
import { accounts, bearer, bySince, byPage, http, pipeline, since, type HttpOptions } from '../../src/index.ts'
import { accountOf, expectStream, fakeApi, loaded, record, replay, temporaryDatabase } from '../../src/testing/index.ts'
import { Database } from '../../src/database/database.ts'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SERVER } from '../support/database.ts'

const database = process.env[SERVER] ?? ''

interface Item {
  id: number
  price: number
  soldAt: string
  updated_at: string
}
const items = (base: string, options: HttpOptions = {}) =>
  http(base, options)
    .get<{ items: Item[] }>('/items', { since, limit: 10 })
    .pages(bySince(byPage('page')))
    .records('items')
    .incremental('updated_at')
const shop = pipeline('shop', {
  streams: { items: items('https://shop.example', { rate: '1/m' }).into('shop.items', { key: 'id', loadedAt: true }) },
})
const row = (id: number): Item => ({
  id,
  price: id + 0.5,
  soldAt: '2025-01-01 08:00',
  updated_at: new Date(Date.UTC(2025, 0, id)).toISOString(),
})

/** Refuses items with a smaller id. */
const atLeast = (id: number) => (value: unknown) =>
  (value as Item).id < id ? { issues: [{ message: 'too small' }] } : { value: value as Item }

async function databases(): Promise<number> {
  await using server = new Database({ url: database, max: 1 })
  const { count } = await server.one<{ count: number }>(
    `select count(*)::int as count from pg_database where datname like 'sluice\\_test\\_%'`,
  )
  return count
}

test('a stream is run into a real table of a database that is gone afterwards', async () => {
  const before = await databases()
  await using api = await fakeApi({ paging: 'since', records: [row(2), row(1)] })
  const read = expectStream(shop.streams.items, { from: api })
  const first = { id: 1, price: '1.50', sold_at: '2025-01-01 08:00', updated_at: '2025-01-01T01:00:00+01:00' }
  const second = { id: 2, price: 2.5, sold_at: '2025-01-01 08:00', updated_at: new Date(Date.UTC(2025, 0, 2)) }
  await read.toWrite([first, second], { database })
  await expect(read.toWrite([first, { ...second, price: 3 }], { database })).rejects.toMatchObject({
    code: 'ERR_ASSERTION',
    message: expect.stringContaining('of 2 rows, 1 differs\n  row 2\n    price: expected 3, read 2.5'),
  })
  await expect(read.toWrite([], { database, rejects: 1 })).rejects.toThrow('0 records were rejected, and 1 expected')
  expect(await databases()).toBe(before)
})

test('several runs write to one database, and the second one reads what has changed', async () => {
  await using into = await temporaryDatabase({ database })
  await using api = await fakeApi({ paging: 'since', records: [row(1), row(2), row(3)] })
  const options = { from: api, into }
  expect((await loaded(shop, options)).report.streams.items.counts).toMatchObject({ inserted: 3 })
  api.list().update(2, { price: 9 })
  api.list().insert({ ...row(4) })
  const { tables, report } = await loaded(shop, options)
  expect(report.streams.items.counts).toMatchObject({ inserted: 1, updated: 1 })
  expect(tables['shop.items']).toMatchObject([{ id: 1 }, { id: 2 }, { id: 3, price: 9 }, { id: 4, price: 4.5 }])
  expect(api.requests.at(-1)?.query.get('since')).toMatch(/^2025-01-0/)
})

test('a run that fails fails the test, and of a cut recording the rows of its pages are written', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-loaded-'))
  try {
    await using api = await fakeApi({ paging: 'since', records: Array.from({ length: 35 }, (_, id) => row(id)) })
    const streams = { items: items(api.url).into('shop.items', { key: 'id' }) }
    const { file } = await record(pipeline('shop', { streams }), {
      file: join(folder, 'a.json'),
      pages: 2,
      quiet: true,
    })
    const from = replay(file)
    expect(from.isWhole).toBe(false)
    const { tables } = await loaded(pipeline('shop', { streams }), { from, database })
    expect(tables['shop.items']).toHaveLength(19)
    const strict = items(api.url).validate({ '~standard': { vendor: 'test', validate: atLeast(3) } })
    await expect(
      expectStream(strict.into('shop.items', { key: 'id' }), { from }).toWrite([], { database }),
    ).rejects.toThrow('3 records were rejected, and 0 expected')
    await using down = await fakeApi({ answer: () => ({ status: 403 }) })
    await expect(loaded(shop, { from: down, database })).rejects.toMatchObject({
      code: 'ERR_ASSERTION',
      message: expect.stringMatching(/^loaded\(shop\): the run ended as failed\n {2}items: .*403/s),
    })
    await expect(loaded(shop, { database })).rejects.toThrow('a test sends nothing to a network')
    await expect(temporaryDatabase({ database: 'shop' })).rejects.toThrow('is not the address of a PostgreSQL server')
  } finally {
    await rm(folder, { recursive: true })
  }
})

describe('a pipeline of several accounts', () => {
  const shops = pipeline('shops', {
    for: accounts('SHOPS'),
    streams: (account) => {
      const api = http(account.value('URL'), {
        auth: bearer(account.secret('TOKEN')),
        headers: { 'x-app': account.value('APP_SECRET') },
      })
      const found = api
        .get<{ items: Item[] }>('/items', { size: account.value('SIZE', '10') })
        .pages(byPage('page'))
        .records('items')
      return { items: found.into('shop.items', { key: 'id' }) }
    },
  })

  test('one account is recorded without its secrets, and is read and loaded without any account', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-loaded-'))
    try {
      await using api = await fakeApi({
        records: Array.from({ length: 12 }, (_, id) => ({ ...row(id), note: 'by north-token-1 and app-secret-1' })),
        accepts: ({ headers }) => headers.authorization === 'Bearer north-token-1',
      })
      const SHOPS = JSON.stringify({
        north: { url: api.url, token: 'north-token-1', app_secret: 'app-secret-1', contact: 'ada@north.test' },
        south: { url: 'https://south.example', token: 'south-token-1', app_secret: 'app-secret-2' },
      })
      const options = { file: join(folder, 'north.json'), environment: { SHOPS }, quiet: true }
      await expect(record(shops, options)).rejects.toThrow(
        'record(): shops has several accounts. Choose one by the option account: north, south',
      )
      await expect(record(shops, { ...options, account: 'nord' })).rejects.toThrow(
        "record(): shops has no account 'nord': it has north, south",
      )
      const made = await record(shops, { ...options, account: 'north' })
      expect(made).toMatchObject({ account: 'north', rows: { items: 12 } })
      const text = await readFile(made.file, 'utf8')
      for (const hidden of ['token-1', 'secret-1', 'ada@', 'south']) expect(text).not.toContain(hidden)

      const from = replay(made.file)
      expect(from.account).toMatchObject({
        name: 'north',
        values: { SHOPS_NORTH_URL: api.url, SHOPS_NORTH_SIZE: '10' },
      })
      const asked = api.requests.length
      await expectStream(accountOf(shops, { from }).streams.items, { from }).toYieldCount(12)
      const { tables, report } = await loaded(shops, { from, database })
      expect(report).toMatchObject({ pipeline: 'shops@north', streams: { items: { counts: { inserted: 12 } } } })
      expect(tables['shop.items']?.[0]).toMatchObject({ account: 'north', id: 0, price: 0.5 })
      expect(api.requests).toHaveLength(asked)
      await expect(loaded(shops, { from, account: 'south' })).rejects.toThrow(
        "loaded(): the account 'south' of shops was not recorded: there are answers for north",
      )
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  test('a test that has no recording chooses the account, and gives its values', async () => {
    await using api = await fakeApi({ records: [row(1)] })
    const secrets = { SHOPS_WEST_URL: 'https://west.example', SHOPS_WEST_APP_SECRET: 'x' }
    await using into = await temporaryDatabase({ database })
    await loaded(shops, { from: api, account: 'west', secrets, into })
    const east = accountOf(shops, {
      account: 'east',
      secrets: { SHOPS_EAST_URL: 'https://east.example', SHOPS_EAST_APP_SECRET: 'x' },
    })
    const { tables } = await loaded(east, { from: api, into })
    expect(tables['shop.items']).toMatchObject([{ account: 'east' }, { account: 'west' }])
    const one = [{ account: 'east', id: 1, price: 1.5, sold_at: row(1).soldAt, updated_at: row(1).updated_at }]
    await expectStream(east.streams.items, { from: api }).toWrite(one, { database })
    expect(api.requests[0]?.headers.authorization).toBe('Bearer test-SHOPS_WEST_TOKEN')
    expect(() => accountOf(shops)).toThrow(
      "accountOf(): shops has several accounts. Choose one by the option account, as in account: 'north'",
    )
    expect(() => accountOf(shops, { account: 'west' })).toThrow(
      "shops needs the value URL of the account west. Give it, as in secrets: { SHOPS_WEST_URL: '…' }",
    )
    await expect(loaded(shop, { account: 'west' })).rejects.toThrow(
      'shop has no accounts. Leave out the option account',
    )
    await expect(record(east, { file: 'a.json' })).rejects.toThrow("and the option account: 'east'")
  })
})
