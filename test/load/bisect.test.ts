import { describe, expect, test } from '@jest/globals'
import { TooManyRejectsError } from '../../src/model/errors.ts'
import { Decimal } from '../../src/value/decimal.ts'
import { testDatabase } from '../support/database.ts'
import { balances, load, table } from './support.ts'

describe('bisecting a batch', () => {
  test.each(['merge', 'append', 'replace'] as const)(
    '%s: rows that the database refuses are rejected with their reason, and the others stored',
    async (write) => {
      await using test = await testDatabase()
      const { database } = test
      await database.query('create schema shop')
      await database.query('create table shop.orders (id bigint primary key, n int)')
      const bad = new Set([0, 17, 18, 63, 99])
      const definition = table({ write, columns: { kind: 'inet' }, adopt: true })
      const records = Array.from({ length: 100 }, (_, id) => ({
        id,
        n: id,
        kind: bad.has(id) ? `no address\t${id}` : '10.0.0.1',
      }))
      await load(database, definition, [{ id: 1000, n: 0, kind: '10.0.0.1' }])
      const { counts, rejects } = await load(database, definition, records, { pageSize: 30, slice: '2', end: true })
      expect(counts).toMatchObject({ fetched: 100, inserted: 95, rejected: 5 })
      expect(balances(counts)).toBe(true)
      expect(rejects.map(({ record }) => record)).toEqual(
        [...bad].map((id) => ({ id, n: id, kind: `no address\t${id}` })),
      )
      expect(rejects[0]).toMatchObject({
        stage: 'database',
        reason: expect.stringContaining('SQLSTATE 22P02') as unknown,
      })
      expect(await database.query('select count(*)::int as n from shop.orders where id < 1000')).toEqual([{ n: 95 }])
    },
  )

  test('rejects only the rows that violate a deferred foreign key or make a trigger raise', async () => {
    await using test = await testDatabase()
    const { database } = test
    await database.query('create schema shop')
    await database.query('create table shop.buyers (id bigint primary key)')
    await database.query('insert into shop.buyers values (1), (2)')
    await database.query(
      `create table shop.orders (
        id bigint primary key, buyer bigint references shop.buyers deferrable initially deferred
      )`,
    )
    await database.query(
      `create function shop.guard() returns trigger language plpgsql as $$
       begin if new.id = 3 then raise exception 'three is wrong'; end if; return new; end $$`,
    )
    await database.query('create trigger guard before insert on shop.orders for each row execute function shop.guard()')
    const { counts, rejects } = await load(database, table(), [
      { id: 1, buyer: 1 },
      { id: 2, buyer: 7 },
      { id: 3, buyer: 1 },
      { id: 4, buyer: 2 },
    ])
    expect(counts).toMatchObject({ inserted: 2, rejected: 2 })
    expect(rejects.map(({ reason }) => reason)).toEqual([
      expect.stringContaining('SQLSTATE 23503; Key (buyer)=(7) is not present'),
      expect.stringContaining('three is wrong (SQLSTATE P0001). '),
    ])
    expect(await database.query('select id::int from shop.orders order by id')).toEqual([{ id: 1 }, { id: 4 }])
  })

  test('a rejected row is kept as it was sent, with every digit', async () => {
    await using test = await testDatabase()
    const { database } = test
    await database.query('create schema shop')
    await database.query(
      `create table shop.orders (
        id bigint primary key, d numeric, b numeric, doc jsonb, flag boolean, open boolean, t text,
        check (t <> 'bad')
      )`,
    )
    const record = {
      id: 1,
      d: new Decimal('0.12345678901234567890'),
      b: 2n ** 80n,
      doc: { a: [2n ** 60n, null, '\n\\'] },
      flag: false,
      open: true,
      t: 'bad',
    }
    const { rejects } = await load(database, table(), [record])
    expect(rejects[0]!.record).toEqual(record)
  })

  test('ends with an error after more rejects than maxRejects', async () => {
    await using test = await testDatabase()
    const { database } = test
    const definition = table({ columns: { kind: 'inet' }, maxRejects: 3 })
    await expect(
      load(
        database,
        definition,
        Array.from({ length: 64 }, (_, id) => ({ id, kind: 'x' })),
      ),
    ).rejects.toThrow(TooManyRejectsError)
  })

  test('rejects nothing for an error that no row has caused', async () => {
    await using test = await testDatabase()
    const { database } = test
    await load(database, table(), [{ id: 1 }])
    await database.query(
      `create function shop.full() returns trigger language plpgsql as $$
       begin raise exception using errcode = '53100', message = 'disk full'; end $$`,
    )
    await database.query(
      'create trigger full_disk before insert on shop.orders for each row execute function shop.full()',
    )
    await expect(load(database, table(), [{ id: 2 }])).rejects.toThrow('disk full')
    // Neither while rows are sought that are at fault.
    await database.query('alter table shop.orders add check (id <> 3)')
    await database.query(
      `create or replace function shop.full() returns trigger language plpgsql as $$
       begin
         if new.id = 4 then raise exception using errcode = '53100', message = 'disk full'; end if;
         return new;
       end $$`,
    )
    await expect(load(database, table(), [{ id: 2 }, { id: 3 }, { id: 4 }])).rejects.toThrow('disk full')
    expect(await database.query('select id::int from shop.orders')).toEqual([{ id: 1 }])
  })
})
