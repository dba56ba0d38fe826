import { expect, test } from '@jest/globals'
import { bySince, byPage, http, pipeline, since, type HttpOptions } from '../../src/index.ts'
import { expectStream, fakeApi, loaded, record, replay, temporaryDatabase } from '../../src/testing/index.ts'
import { Database } from '../../src/database/database.ts'
import { mkdtemp, rm } from 'node:fs/promises'
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
