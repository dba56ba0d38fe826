import { describe, expect, test } from '@jest/globals'
import { openDatabase, type Database } from '../../src/database/database.ts'
import type { EncodedPage } from '../../src/load/encode/encoded-page.ts'
import { testDatabase } from '../support/database.ts'
import { PgProxy } from '../support/pg-proxy.ts'
import { commit, load, page, table } from './support.ts'

/** Returns all statements that are sent to the database while a function runs. */
async function statementsOf(work: (database: Database, direct: Database) => Promise<void>): Promise<string> {
  await using test = await testDatabase()
  const texts: string[] = []
  await using proxy = await PgProxy.open({
    port: Number(new URL(test.url).port),
    watchers: [
      {
        before: ({ from, text = '' }) => {
          if (from === 'client') texts.push(text)
        },
      },
    ],
  })
  await using through = await openDatabase({ url: proxy.through(test.url) })
  await work(through, test.database)
  return texts.join('\n')
}

describe('merge into an empty table', () => {
  test('copies rows directly until a key exists already, then merges, and loses or doubles nothing', async () => {
    const statements = await statementsOf(async (database) => {
      const { writer, counts } = await load(database, table(), [
        { id: 1, n: 'a' },
        { id: 2, n: 'b' },
        { id: 2, n: 'c' },
      ])
      expect(counts).toMatchObject({ inserted: 2, duplicate: 1 })
      const again = [
        writer.encode(
          page([
            { id: 2, n: 'c' },
            { id: 1, n: 'x' },
            { id: 3, n: 'd' },
          ]),
        ) as EncodedPage,
      ]
      expect((await commit(database, writer, again)).counts).toMatchObject({
        inserted: 1,
        updated: 1,
        unchanged: 1,
        rejected: 0,
      })
      expect(await database.query('select id::int, n from shop.orders order by id')).toEqual([
        { id: 1, n: 'x' },
        { id: 2, n: 'c' },
        { id: 3, n: 'd' },
      ])
      const last = [writer.encode(page([{ id: 4, n: 'e' }])) as EncodedPage]
      expect((await commit(database, writer, last)).counts).toMatchObject({ inserted: 1 })
    })
    expect(statements.match(/copy "shop"."orders"/g)).toHaveLength(2)
    expect(statements.match(/copy pg_temp.sluice_batch/g)).toHaveLength(2)
  })

  test.each([
    [
      'a trigger that may leave rows out',
      `create function shop.none() returns trigger language plpgsql as $$
         begin return case when new.id > 1 then new end; end $$;
       create trigger none before insert on shop.orders for each row execute function shop.none()`,
    ],
    ['a rule', 'create rule twice as on insert to shop.orders where new.id < 0 do also nothing'],
    ['a policy', 'alter table shop.orders enable row level security'],
    ['a row that was deleted', "insert into shop.orders values (9, 'z'); delete from shop.orders"],
  ])('not where it has %s', async (_, statement) => {
    const statements = await statementsOf(async (database, direct) => {
      await direct.query('create schema shop')
      await direct.query('create table shop.orders (id bigint primary key, n text)')
      for (const one of statement.split(/; (?=create trigger|delete)/)) await direct.query(one)
      expect((await load(database, table(), [{ id: 2, n: 'a' }])).counts).toMatchObject({ inserted: 1 })
    })
    expect(statements).not.toContain('copy "shop"."orders"')
    expect(statements).toContain('copy pg_temp.sluice_batch')
  })
})
