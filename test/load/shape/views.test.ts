import { describe, expect, test } from '@jest/globals'
import { readShape } from '../../../src/load/shape/table-shape.ts'
import { plannedChange } from '../../../src/load/shape/planned-change.ts'
import { openDatabase, type Database } from '../../../src/database/database.ts'
import { testDatabase } from '../../support/database.ts'
import { columnsOf, load, table } from '../support.ts'

const recreate = table({ views: 'recreate' })

describe('a column that a view uses', () => {
  test('is widened where the table asks for it, and everything of its views is as it was', async () => {
    await using test = await testDatabase()
    const { database } = test
    const [role, owner] = ['reader', 'owner'].map((word) => `${new URL(test.url).pathname.slice(1)}_${word}`)
    await load(database, recreate, [
      { id: 1, n: 1, note: 'a' },
      { id: 2, n: 2, note: 'b' },
    ])
    await database.query(`create role ${role}`)
    await database.query(`create role ${owner}`)
    try {
      for (const statement of [
        `grant usage, create on schema shop to ${owner}`,
        `grant select on shop.orders to ${owner}`,
        // New objects of this user get rights that these views do not have.
        `alter default privileges in schema shop grant select on tables to ${role}`,
        `create view shop."The numbers" with (security_barrier=true) as select id, n from shop.orders
           with cascaded check option`,
        `revoke all on shop."The numbers" from ${role}`,
        `create view shop.doubled as select id, n * 2 as twice from shop."The numbers"`,
        `create materialized view shop.totals as select d.id, sum(d.twice + o.n) as total
           from shop.doubled d join shop.orders o using (id) group by 1 with data`,
        'create unique index totals_id on shop.totals (id)',
        'create index on shop.totals (total desc) where total > 0',
        'alter materialized view shop.totals cluster on totals_id',
        'create view shop.unrelated as select note from shop.orders',
        `comment on view shop.doubled is 'it''s double'`,
        `comment on column shop.doubled.twice is 'two times'`,
        `alter view shop."The numbers" alter column n set default 7`,
        `grant select (twice) on shop.doubled to ${role}`,
        `grant insert on shop."The numbers" to ${role} with grant option`,
        `create function shop.nothing() returns trigger language plpgsql as 'begin return null; end'`,
        'create trigger stop instead of insert on shop.doubled for each row execute function shop.nothing()',
        'create rule quiet as on delete to shop.doubled do instead nothing',
        `alter view shop.doubled owner to ${owner}`,
        `grant select on shop."The numbers" to ${owner}`,
      ])
        await database.query(statement)
      const before = await facts(database)
      const unrelated = await database.one(`select 'shop.unrelated'::regclass::oid as oid`)
      const shape = (await readShape(database, recreate))!
      const planned = await plannedChange(database.with({}), recreate, {
        stream: 'shop.orders',
        shape,
        records: [{ id: 3, n: 1.5 }],
      })
      expect(planned).toContain('widened n from bigint to numeric, made shop."The numbers", shop.doubled, shop.totals')
      expect(planned).toContain('by: drop materialized view shop.totals; drop view shop.doubled; ')
      expect(planned).toContain('create materialized view shop.totals')
      expect(await facts(database)).toEqual(before)

      const { counts, events } = await load(database, recreate, [{ id: 3, n: 1.5, note: 'c' }])
      expect(counts).toMatchObject({ inserted: 1 })
      expect(events).toContainEqual(expect.objectContaining({ type: 'table.altered' }))
      expect(await columnsOf(database)).toMatchObject({ n: 'numeric' })
      expect(await facts(database)).toEqual(before)
      expect(await database.one(`select 'shop.unrelated'::regclass::oid as oid`)).toEqual(unrelated)
      expect(await database.query('select id::int, twice::text from shop.doubled order by id')).toEqual([
        { id: 1, twice: '2' },
        { id: 2, twice: '4' },
        { id: 3, twice: '3.0' },
      ])
      expect(await database.query('select id from shop.totals order by id')).toHaveLength(2)
    } finally {
      await database.query(`drop owned by ${role}, ${owner} cascade`)
      await database.query(`drop role ${role}, ${owner}`)
    }
  })

  test('is left alone without that, also if only a partition is used, and the error names the views', async () => {
    await using test = await testDatabase()
    const { database } = test
    await database.query('create schema shop')
    await database.query('create table shop.orders (id bigint primary key, n bigint) partition by range (id)')
    await database.query('create table shop.low partition of shop.orders for values from (0) to (100)')
    await database.query('create view shop.seen as select n from shop.low')
    const adopted = { ...recreate, adopt: true }
    const failure = load(database, { ...adopted, views: 'keep' }, [{ id: 1, n: 1.5 }])
    await expect(failure).rejects.toThrow("shop.seen uses it. Set views: 'recreate' for the table")
    expect(await columnsOf(database)).toEqual({ id: 'bigint', n: 'bigint' })
    await load(database, adopted, [{ id: 1, n: 1.5 }])
    expect(await database.query('select n::text from shop.seen')).toEqual([{ n: '1.5' }])
  })

  test('of another owner is an error that names the owner, and what uses the view keeps all as it was', async () => {
    await using test = await testDatabase()
    const { database } = test
    const role = `${new URL(test.url).pathname.slice(1)}_role`
    await database.query(`create role ${role} login password 'hush-hush-hush'`)
    try {
      await database.query(`grant create on database ${new URL(test.url).pathname.slice(1)} to ${role}`)
      await using own = await openDatabase({
        url: Object.assign(new URL(test.url), { username: role, password: 'hush-hush-hush' }).href,
      })
      await load(own, recreate, [{ id: 1, n: 1 }])
      await database.query('create view shop.seen as select n from shop.orders')
      const { user } = await database.one<{ user: string }>('select current_user as "user"')
      await expect(load(own, recreate, [{ id: 1, n: 1.5 }])).rejects.toThrow(
        `shop.seen of ${user} cannot be made again`,
      )
      await database.query(`alter view shop.seen owner to ${role}`)
      await database.query(
        `create function shop.reads() returns setof shop.seen language sql as 'select * from shop.seen'`,
      )
      await expect(load(own, recreate, [{ id: 1, n: 1.5 }])).rejects.toThrow('function shop.reads() depends on')
      expect(await database.query('select n from shop.seen')).toEqual([{ n: '1' }])
    } finally {
      await database.query(`drop owned by ${role} cascade`)
      await database.query(`drop role ${role}`)
    }
  })
})

test('the view of the current rows of a history is made again, and so is a view that uses it', async () => {
  await using test = await testDatabase()
  const { database } = test
  const history = table({ write: 'history', views: 'recreate' })
  await load(database, history, [{ id: 1, n: 1 }])
  await database.query('create view shop.seen as select n from shop.orders_current')
  await load(database, history, [{ id: 1, n: 1.5, more: 'x' }])
  expect(await database.query('select n::text from shop.seen')).toEqual([{ n: '1.5' }])
  expect(await columnsOf(database, 'shop.orders_current')).toEqual({ id: 'bigint', n: 'numeric', more: 'text' })
})

/** What the catalog says of the views of a schema, besides their numbers and what follows from types of columns. */
const facts = (database: Database): Promise<readonly unknown[]> =>
  database.query(`
select c.relname, c.relkind, c.reloptions, pg_get_userbyid(c.relowner) as owner, c.relispopulated as filled,
  replace(pg_get_viewdef(c.oid), '(2)::numeric', '2') as query, obj_description(c.oid, 'pg_class') as comment,
  array(select x::text from unnest(coalesce(c.relacl, acldefault('r', c.relowner))) x order by 1) as rights,
  array(select attname || coalesce(attacl::text, '') || coalesce(col_description(c.oid, attnum), '')
          || coalesce((select pg_get_expr(adbin, adrelid) from pg_attrdef where adrelid = c.oid and adnum = attnum), '')
        from pg_attribute where attrelid = c.oid and attnum > 0 order by attnum) as columns,
  array(select pg_get_indexdef(indexrelid) || indisclustered from pg_index where indrelid = c.oid order by 1)
    as indexes,
  array(select pg_get_triggerdef(oid) from pg_trigger where tgrelid = c.oid order by 1) as triggers,
  array(select pg_get_ruledef(oid) from pg_rewrite where ev_class = c.oid and rulename <> '_RETURN' order by 1) as rules
from pg_class c where c.relnamespace = 'shop'::regnamespace and c.relkind in ('v', 'm') order by c.relname`)
