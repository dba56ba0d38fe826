// A mirror: a complete reading of everything deletes the rows that it did not bring.
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import { source } from '../../src/index.ts'
import { ids, listed, mirrorDatabase, numbered, type Item, type MirrorDatabase } from '../mirror/listed.ts'

jest.setTimeout(60_000)

let target: MirrorDatabase
beforeAll(async () => {
  target = await mirrorDatabase()
})
afterAll(async () => target[Symbol.asyncDispose]())

test('a row goes once a complete reading does not bring it, is kept for a while, and comes back', async () => {
  const api = listed(numbered(20))
  const flow = api.items.into('t.gone', { key: 'id', mirror: true })
  const first = await target.sync(flow, 'gone')
  expect(first).toMatchObject({ status: 'done', mirroredRows: 0, counts: { inserted: 20 } })
  expect(first).not.toHaveProperty('deletedRows')
  api.list = numbered(18, 3)
  const report = await target.sync(flow, 'gone')
  expect(report).toMatchObject({ mirroredRows: 2, deletedRows: 'deleted', counts: { unchanged: 18, deleted: 0 } })
  expect(report).not.toHaveProperty('swap')
  expect(report.warnings).toEqual([])
  expect(await target.idsOf('t.gone')).toEqual(ids(numbered(18, 3)))
  const kept = await target.query(
    `select key, row ->> 'name' as name, reason, expires_at > now() + interval '6 days' as later
       from sluice.deleted_rows where table_name = 't.gone' order by id`,
  )
  expect(kept).toEqual([1, 2].map((id) => ({ key: `[${id}]`, name: `item ${id}`, reason: 'missing', later: true })))
  const [slice] = await target.query(
    'select swap_deleted::int as gone, deleted::int as announced from sluice.slices order by id desc limit 1',
  )
  expect(slice).toEqual({ gone: 2, announced: 0 })
  for (const table of ['mirrors', 'mirror_keys']) expect(await target.query(`select from sluice.${table}`)).toEqual([])
  api.list = numbered(20)
  await target.sync(flow, 'gone')
  expect(await target.idsOf('t.gone')).toHaveLength(20)
})

test('a reading that would delete too much fails, deletes nothing, and is allowed once', async () => {
  const api = listed(numbered(30))
  const flow = api.items.into('t.most', { key: 'id', mirror: true })
  await target.sync(flow, 'most')
  api.list = [...numbered(19, 12), { id: 31, name: 'new' }]
  const refused = await target.sync(flow, 'most')
  expect(refused.status).toBe('failed')
  expect(refused.error).toBe(
    'most.items: the reading was complete, and did not bring 11 of the 30 rows that t.most had when it began, ' +
      'such as id = 1, 2, 3. The mirror may delete at most 10 of them, so all of them stay. If their records are ' +
      'gone, run once: sluice run most.items --most-deletes 11. If not, correct what is read. For another limit, set ' +
      'mostDeletes [TOO_MANY_DELETES]',
  )
  // What was read is stored.
  expect(await target.idsOf('t.most')).toHaveLength(31)
  // An API that is broken returns nothing, or half of its list.
  for (const list of [[], numbered(15)]) {
    api.list = list
    expect((await target.sync(flow, 'most')).status).toBe('failed')
    expect(await target.idsOf('t.most')).toHaveLength(31)
  }
  // Once it is whole again, nobody has to allow anything.
  api.list = numbered(25, 6)
  expect(await target.sync(flow, 'most')).toMatchObject({ status: 'done', mirroredRows: 6 })
  api.list = []
  expect((await target.sync(flow, 'most', { mostDeletes: '50%' })).error).toContain('at most 12 of them')
  expect(await target.sync(flow, 'most', { mostDeletes: 25 })).toMatchObject({ status: 'done', mirroredRows: 25 })
  expect(await target.idsOf('t.most')).toEqual([])
  await expect(target.sync(flow, 'most', { mostDeletes: '1 %' as never })).rejects.toThrow(
    'mostDeletes is a number of rows, or a share of them such as \'10%\', not "1 %"',
  )
})

test('an interrupted reading that was refused begins again, because the list may be whole now', async () => {
  const state = { list: numbered(20), breaks: false }
  const items = source<Item>(async function* ({ position = 0 }) {
    for (let at = Number(position); at < state.list.length; at += 5) {
      yield { records: state.list.slice(at, at + 5), position: at + 5 }
      if (state.breaks) throw new Error('broken off')
    }
  })
  const flow = items.into('t.again', { key: 'id', mirror: true })
  const options = { batch: { rows: 1 } }
  await target.sync(flow, 'again', options)
  state.list = numbered(5)
  expect((await target.sync(flow, 'again', options)).error).toContain('did not bring 15 of the 20 rows')
  state.list = numbered(19)
  const report = await target.sync(flow, 'again', options)
  expect(report).toMatchObject({ status: 'done', mirroredRows: 1, counts: { fetched: 19 } })
  // What was read before an interruption counts as seen.
  state.list = numbered(18)
  state.breaks = true
  expect((await target.sync(flow, 'again', options)).error).toContain('broken off')
  state.breaks = false
  state.list = numbered(18).toSpliced(5, 1)
  const resumed = await target.sync(flow, 'again', options)
  expect(resumed).toMatchObject({ status: 'done', resumed: true, mirroredRows: 2 })
  expect(await target.idsOf('t.again')).toEqual(ids(state.list))
})

test('rows are deleted in the transaction that ends the reading, or not at all', async () => {
  const api = listed(numbered(5))
  const flow = api.items.into('t.whole', { key: 'id', mirror: true })
  await target.sync(flow, 'whole')
  api.list = numbered(4)
  await target.query(`
    create function refuse_end() returns trigger language plpgsql as
      $$ begin if new.status = 'done' then raise exception 'no end'; end if; return new; end $$;
    create trigger refuse_end before update on sluice.slices for each row execute function refuse_end()`)
  expect((await target.sync(flow, 'whole')).error).toContain('no end')
  expect(await target.idsOf('t.whole')).toHaveLength(5)
  expect(await target.query(`select from sluice.deleted_rows where table_name = 't.whole'`)).toEqual([])
  await target.query('drop trigger refuse_end on sluice.slices')
  expect(await target.sync(flow, 'whole')).toMatchObject({ mirroredRows: 1 })
})

test('what the database refuses to delete stays, with a warning, and the others go', async () => {
  const api = listed(numbered(6))
  const flow = api.items.into('t.parents', { key: 'id', mirror: true })
  await target.sync(flow, 'parents')
  for (const when of ['', ' deferrable initially deferred']) {
    await target.query(`
      drop table if exists t.refers;
      create table t.refers (id bigint references t.parents (id)${when}); insert into t.refers values (2)`)
    api.list = numbered(4, 3)
    const report = await target.sync(flow, 'parents')
    expect(report).toMatchObject({ status: 'done', mirroredRows: 1 })
    expect(report.warnings.join()).toMatch(
      /t\.parents: mirror did not delete 1 row whose records are gone, such as id = 2: its row cannot be .*23503/,
    )
    expect(await target.idsOf('t.parents')).toEqual([2, 3, 4, 5, 6])
    api.list = numbered(6)
    await target.sync(flow, 'parents')
  }
})

test('a row that a trigger keeps is told, and rows without a key are none of the stream', async () => {
  await target.query(`
    create schema if not exists t; create table t.kept (id bigint unique, name text);
    insert into t.kept select null, 'by hand' from generate_series(1, 30);
    create function t.keep() returns trigger language plpgsql as $$ begin return null; end $$;
    create trigger keep before delete on t.kept for each row when (old.id = 2) execute function t.keep()`)
  const api = listed(numbered(6))
  const flow = api.items.into('t.kept', { key: 'id', mirror: true, adopt: true })
  await target.sync(flow, 'kept')
  api.list = numbered(4, 3)
  const report = await target.sync(flow, 'kept')
  expect(report).toMatchObject({ status: 'done', mirroredRows: 1 })
  expect(report.warnings.join()).toContain('t.kept: mirror did not delete 1 row whose records are gone: a trigger')
  expect(await target.idsOf('t.kept', 'id is not null')).toEqual([2, 3, 4, 5, 6])
})

test("deleted: 'mark' marks rows, and lists go with deleted rows", async () => {
  const before = listed(numbered(5))
  // The table has no column for the mark yet.
  await target.sync(before.items.into('t.unmarked', { key: 'id' }), 'unmarked')
  const marking = before.items.into('t.unmarked', { key: 'id', mirror: true, deleted: 'mark' })
  before.list = numbered(4)
  expect(await target.sync(marking, 'unmarked')).toMatchObject({ status: 'done', mirroredRows: 1 })
  expect(await target.idsOf('t.unmarked', '_deleted_at is not null')).toEqual([5])

  const api = listed(numbered(5))
  const flow = api.items.into('t.marked', { key: 'id', mirror: true, deleted: 'mark' })
  await target.sync(flow, 'marked')
  api.list = numbered(4)
  expect(await target.sync(flow, 'marked')).toMatchObject({ mirroredRows: 1, deletedRows: 'marked' })
  expect(await target.idsOf('t.marked', '_deleted_at is not null')).toEqual([5])
  expect(await target.sync(flow, 'marked')).toMatchObject({ mirroredRows: 0 })
  api.list = numbered(5)
  expect(await target.sync(flow, 'marked')).toMatchObject({ counts: { updated: 1 } })
  expect(await target.idsOf('t.marked', '_deleted_at is not null')).toEqual([])

  const orders = [1, 2, 3].map((id) => ({ id, lines: [{ line: 1, parts: ['a', 'b'] }, { line: 2 }] }))
  const lists = listed(orders)
  const children = { lines: { key: 'line', children: { parts: {} } } }
  const nested = lists.items.into('t.orders', { key: 'id', mirror: true, children: children as never })
  await target.sync(nested, 'nested')
  lists.list = orders.slice(1)
  expect(await target.sync(nested, 'nested')).toMatchObject({
    mirroredRows: 1,
    children: { 't.orders_lines': { deleted: 2 }, 't.orders_lines_parts': { deleted: 2 } },
  })
  expect(await target.query('select distinct orders_id::int as id from t.orders_lines order by 1')).toEqual([
    { id: 2 },
    { id: 3 },
  ])
})

test('keys are compared as their types compare them, and a table of other programs is not mirrored', async () => {
  await target.query(`
    create table t.keys (a numeric, b text, primary key (a, b)); insert into t.keys values (1.50, 'x'), (2, 'x');
    create table t.bits (b bit(3) primary key); insert into t.bits values ('101')`)
  const list = [{ a: 1.5, b: 'x' }]
  const items = source<{ a: number; b: string }>(async function* () {
    yield { records: list }
  })
  const options = { key: ['a', 'b'] as const, mirror: true, mostDeletes: 1 }
  expect((await target.sync(items.into('t.keys', options), 'keys')).error).toContain(
    't.keys: Sluice did not create this table, and mirror deletes each of its rows that is not read',
  )
  expect(await target.sync(items.into('t.keys', { ...options, adopt: true }), 'keys')).toMatchObject({
    mirroredRows: 1,
  })
  expect(await target.query('select a::text from t.keys')).toEqual([{ a: '1.5' }])
  const bits = source<{ b: string }>(async function* () {
    yield { records: [{ b: '101' }] }
  })
  expect((await target.sync(bits.into('t.bits', { key: 'b', mirror: true, adopt: true }), 'bits')).error).toContain(
    't.bits: mirror compares keys by hashes, and one of the types of (b) has none',
  )
})

test('a mirror of a history ends the versions of missing rows, and undelete begins them again', async () => {
  const api = listed(numbered(20))
  const columns = { name: 'varchar(20)' as never }
  const flow = api.items.into('t.past', { key: 'id', write: 'history', mirror: true, columns })
  await target.sync(flow, 'past')
  // The second one is rejected: its record exists.
  api.list = [{ id: 2, name: 'x'.repeat(30) }, ...numbered(17, 4)]
  expect(await target.sync(flow, 'past')).toMatchObject({
    mirroredRows: 2,
    deletedRows: 'ended',
    counts: { unchanged: 17, rejected: 1 },
  })
  const current = () => target.idsOf('t.past_current')
  expect(await current()).toEqual([2, ...ids(numbered(17, 4))])
  expect(await target.idsOf('t.past', '_valid_to is not null')).toEqual([1, 3])
  expect(await target.sync(flow, 'past')).toMatchObject({ mirroredRows: 0 })
  expect(await target.query(`select outcome from sluice.undelete('past')`)).toEqual([
    { outcome: 'restored' },
    { outcome: 'restored' },
  ])
  expect(await current()).toHaveLength(20)
  expect(
    await target.query(
      'select o.id::int, o.name from t.past o join t.past n on n.id = o.id and n._valid_from = o._valid_to order by 1',
    ),
  ).toEqual([
    { id: 1, name: 'item 1' },
    { id: 3, name: 'item 3' },
  ])
  expect(await target.sync(flow, 'past')).toMatchObject({ mirroredRows: 2 })
  api.list = []
  expect((await target.sync(flow, 'past')).error).toContain('The mirror may end at most 8 of them, so all of them stay')
  expect(await current()).toHaveLength(18)
  api.list = numbered(20)
  expect(await target.sync(flow, 'past')).toMatchObject({ mirroredRows: 0, counts: { inserted: 2, unchanged: 18 } })
  expect(await target.idsOf('t.past')).toHaveLength(24)
})

test('a record that comes back with its old version begins a version now, once', async () => {
  const at = '2024-01-01T00:00:00Z'
  const list = numbered(5).map((item) => ({ ...item, at }))
  const api = listed(list)
  const flow = api.items.into('t.back', { key: 'id', write: 'history', versionBy: 'at' as never, mirror: true })
  await target.sync(flow, 'back')
  for (const versions of [2, 3]) {
    api.list = list.slice(1)
    expect(await target.sync(flow, 'back')).toMatchObject({ mirroredRows: 1 })
    // An older one begins none.
    api.list = list.map((item) => (item.id === 1 ? { ...item, at: '2023-01-01T00:00:00Z' } : item))
    await target.sync(flow, 'back')
    expect(await target.idsOf('t.back_current')).toEqual([2, 3, 4, 5])
    api.list = list
    expect(await target.sync(flow, 'back')).toMatchObject({ counts: { inserted: 1, unchanged: 4 } })
    expect(await target.sync(flow, 'back')).toMatchObject({ mirroredRows: 0, counts: { unchanged: 5 } })
    expect(await target.idsOf('t.back_current')).toEqual([1, 2, 3, 4, 5])
    expect(await target.idsOf('t.back', `id = 1 and _valid_from >= '${at}'`)).toHaveLength(versions)
  }
  expect(await target.query(`select from sluice.deleted_rows where table_name = 't.back'`)).toEqual([])
})
