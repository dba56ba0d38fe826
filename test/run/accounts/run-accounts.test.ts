import { describe, expect, jest, test } from '@jest/globals'
import { testDatabase } from '../../support/database.ts'
import { moment, orders, runAll, shopApi, shops, shopsJson } from './support.ts'

jest.setTimeout(60_000)

const NAMES = Array.from({ length: 20 }, (_, n) => `shop-${n}`)
const BROKEN = 'shop-7'
const numberOf = (name: string): number => Number(name.slice('shop-'.length))
const ordersOf = (name: string): number => 24 + (numberOf(name) % 5)
const rateOf = (name: string): number => [6, 8, 10, 12][numberOf(name) % 4] ?? 0

describe('twenty accounts of one API', () => {
  test('each has its own limit, cursor and rows, and one that always fails stops no other', async () => {
    let more = 0
    await using api = await shopApi(
      (account) => orders(account, ordersOf(account) + more, numberOf(account) * 1_000),
      (account) => (account === BROKEN ? 500 : 200),
    )
    await using test = await testDatabase()
    const SHOPS = shopsJson(NAMES, (name) => ({ rate: `${rateOf(name)}/s` }))
    const first = await runAll(shops(api.origin), { database: test.url, SHOPS })
    for (const name of NAMES)
      expect([name, first[name]]).toEqual([
        name,
        expect.objectContaining(
          name === BROKEN ? { status: 'failed', fetched: 0 } : { status: 'done', inserted: ordersOf(name) },
        ),
      ])

    // By the server's own count: never more requests from one moment to another than the rate allows. A busy machine
    // may hold a request up for some time.
    const HELD_UP_MS = 700
    for (const name of NAMES) {
      const times = api.arrived.get(name) ?? []
      const tooMany = times.flatMap((from, first) =>
        times.slice(first).filter((to, more) => more + 1 > (rateOf(name) * (to - from + 1_000 + HELD_UP_MS)) / 1_000),
      )
      expect([name, tooMany]).toEqual([name, []])
    }
    // One budget for all would let 12 requests a second through, and take 40 s.
    const all = [...api.arrived.values()].flat()
    expect(Math.max(...all) - Math.min(...all)).toBeLessThan(20_000)

    const rows = await test.database.query<{ account: string; of: string; rows: number }>(
      `select account, "of", count(*)::int as rows from shop.orders group by 1, 2`,
    )
    expect(rows.every((row) => row.account === row.of)).toBe(true)
    expect(Object.fromEntries(rows.map((row) => [row.account, row.rows]))).toEqual(
      Object.fromEntries(NAMES.filter((name) => name !== BROKEN).map((name) => [name, ordersOf(name)])),
    )
    expect(await test.database.query(`select pipeline, value from sluice.cursors order by pipeline`)).toEqual(
      NAMES.filter((name) => name !== BROKEN)
        .toSorted()
        .map((name) => ({ pipeline: `shops@${name}`, value: moment(numberOf(name) * 1_000 + ordersOf(name) - 1) })),
    )

    // The second run reads what is new of each, from its own cursor.
    more = 3
    const second = await runAll(shops(api.origin), { database: test.url, SHOPS })
    for (const name of NAMES.filter((one) => one !== BROKEN))
      expect([name, second[name]]).toEqual([
        name,
        expect.objectContaining({ status: 'done', fetched: 4, inserted: 3, unchanged: 1 }),
      ])
  })

  test('an account that is removed keeps rows and cursor, and one that is new starts at the beginning', async () => {
    await using api = await shopApi((account) => orders(account, 5))
    await using test = await testDatabase()
    const run = (names: readonly string[]) => runAll(shops(api.origin), { database: test.url, SHOPS: shopsJson(names) })
    await run(['north', 'south'])
    expect(await run(['south', 'west'])).toEqual({
      south: expect.objectContaining({ status: 'done', fetched: 1, inserted: 0 }),
      west: expect.objectContaining({ status: 'done', fetched: 5, inserted: 5 }),
    })
    expect(
      await test.database.query(`select account, count(*)::int as rows from shop.orders group by 1 order by 1`),
    ).toEqual(['north', 'south', 'west'].map((account) => ({ account, rows: 5 })))
    // It continues where it was.
    expect(await run(['north'])).toEqual({ north: expect.objectContaining({ fetched: 1, inserted: 0 }) })
  })

  test('the account is the first part of the key, and not null', async () => {
    await using api = await shopApi((account) => orders(account, 2))
    await using test = await testDatabase()
    await runAll(shops(api.origin), { database: test.url, SHOPS: shopsJson(['north', 'south']) })
    expect(
      await test.database.query(
        `select pg_get_constraintdef(oid) as key from pg_constraint
          where conrelid = 'shop.orders'::regclass and contype = 'p'`,
      ),
    ).toEqual([{ key: 'PRIMARY KEY (account, id)' }])
    expect(
      await test.database.query(
        `select data_type, is_nullable from information_schema.columns
          where table_schema = 'shop' and column_name = 'account'`,
      ),
    ).toEqual([{ data_type: 'text', is_nullable: 'NO' }])
  })
})
