// What a mirror never deletes: what a reading could not say, what others have stored, and what was written since.
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import { http, onePage, source } from '../../src/index.ts'
import { apiServer } from '../support/api-server.ts'
import { listed, mirrorDatabase, numbered, type Item, type MirrorDatabase } from '../mirror/listed.ts'

jest.setTimeout(60_000)

let target: MirrorDatabase
beforeAll(async () => {
  target = await mirrorDatabase()
})
afterAll(async () => target[Symbol.asyncDispose]())

test('a reading that is open deletes nothing, and says so', async () => {
  const api = listed(numbered(5))
  const flow = api.items.into('t.open', { key: 'id', mirror: true, complete: 'any' })
  await target.sync(flow, 'open')
  api.list = numbered(4)
  api.complete = { open: 'the export was cut off' }
  const report = await target.sync(flow, 'open')
  expect(report).not.toHaveProperty('mirroredRows')
  expect(report.warnings).toContain('t.open: mirror deleted nothing: it is not proven that everything was read')
  expect(await target.idsOf('t.open')).toHaveLength(5)
  api.complete = 'counted'
  expect(await target.sync(flow, 'open')).toMatchObject({ mirroredRows: 1 })
})

test('rows of other streams are never deleted: the reading fails before it sends a request', async () => {
  const [mine, theirs] = [listed(numbered(5)), listed(numbered(5, 4))]
  const others = theirs.items.into('t.shared', { key: 'id' })
  await target.sync(others, 'others')
  const flow = (rowsOf?: string) => mine.items.into('t.shared', { key: 'id', mirror: rowsOf ? { rowsOf } : true })
  const refused = await target.sync(flow(), 'mine')
  expect(refused).toMatchObject({ status: 'failed', counts: { fetched: 0 } })
  expect(refused.error).toContain('mine.items: t.shared also has rows of others.items, and mirror would take them')
  expect(mine.reads).toBe(0)
  // Its rows may be named: then the list of the mirror decides.
  expect(await target.sync(flow('others.items'), 'mine', { mostDeletes: 3 })).toMatchObject({ mirroredRows: 3 })
  expect(await target.idsOf('t.shared')).toEqual([1, 2, 3, 4, 5])
  // The other stream may also store its first rows while the mirror is read.
  const [own, late] = [numbered(5), listed(numbered(5, 7))]
  const items = source<Item>(async function* () {
    yield { records: own }
    if (own.length === 4) await target.sync(late.items.into('t.late', { key: 'id' }), 'late')
  })
  const beside = items.into('t.late', { key: 'id', mirror: true })
  await target.sync(beside, 'beside')
  own.pop()
  expect((await target.sync(beside, 'beside')).error).toContain('t.late also has rows of late.items')
  expect(await target.idsOf('t.late')).toHaveLength(10)
})

test('a table that was renamed has the rows of other streams, and a new one of its name does not', async () => {
  const [mine, theirs] = [listed(numbered(9)), listed(numbered(9, 5))]
  await target.sync(theirs.items.into('t.named', { key: 'id' }), 'their')
  await target.sync(mine.items.into('t.named', { key: 'id' }), 'my')
  await target.query(`
    do $$ declare one text; begin
      for one in select attname from pg_attribute where attrelid = 't.named'::regclass and attnum > 0 loop
        execute format('comment on column t.named.%I is null', one);
      end loop; end $$;
    alter table t.named rename to renamed`)
  const mirrored = (name: `t.${string}`) =>
    mine.items.into(name, { key: 'id', mirror: true, adopt: true, mostDeletes: '90%' })
  const refused = expect.stringContaining('t.renamed also has rows of their.items')
  expect((await target.sync(mirrored('t.renamed'), 'my')).error).toEqual(refused)
  await target.sync(mine.items.into('t.named', { key: 'id' }), 'my')
  expect(await target.sync(mirrored('t.named'), 'my')).toMatchObject({ mirroredRows: 0 })
  expect((await target.sync(mirrored('t.renamed'), 'my')).error).toEqual(refused)
  expect(await target.idsOf('t.renamed')).toHaveLength(13)
})

test('what other stages have read is no part of a reading, which begins again', async () => {
  const state = { breaks: false }
  const items = source<Item>(async function* ({ position = 0 }) {
    for (let at = Number(position); at < 20; at += 5) {
      yield { records: numbered(5, at + 1), position: at + 5 }
      if (state.breaks) throw new Error('broken off')
    }
  })
  const table = { key: 'id' as const, mirror: true }
  const options = { batch: { rows: 1 } }
  const right = items.filter(({ id }) => id > 0).into('t.stages', table)
  await target.sync(right, 'stages', options)
  state.breaks = true
  // A fault in the filter, which somebody corrects after the interruption.
  const wrong = items.filter(({ id }) => id > 2).into('t.stages', table)
  expect((await target.sync(wrong, 'stages', options)).error).toContain('broken off')
  state.breaks = false
  expect(await target.sync(right, 'stages', options)).toMatchObject({ status: 'done', mirroredRows: 0 })
  expect(await target.idsOf('t.stages')).toHaveLength(20)
})

test('keys of readings that nobody goes on with do not stay in the ledger', async () => {
  const state = { list: numbered(5), breaks: false }
  const items = source<Item>(async function* ({ position }) {
    if (position === undefined) yield { records: state.list.slice(0, 2), position: 1 }
    if (state.breaks) throw new Error('broken off')
    yield { records: state.list.slice(2) }
  })
  const flow = items.into('t.left', { key: 'id', mirror: true })
  const options = { batch: { rows: 1 } }
  const noted = () => target.query('select from sluice.mirrors union all select from sluice.mirror_keys')
  const other = listed(numbered(1)).items.into('t.other', { key: 'id' })
  await target.sync(flow, 'left', options)
  Object.assign(state, { list: numbered(4), breaks: true })
  await target.sync(flow, 'left', options)
  expect(await noted()).not.toEqual([])
  await target.sync(other, 'other')
  expect(await noted()).not.toEqual([])
  // A week later.
  await target.query(`update sluice.mirrors set began_at = began_at - interval '8 days'`)
  await target.sync(other, 'other')
  expect(await noted()).toEqual([])
  state.breaks = false
  const resumed = await target.sync(flow, 'left', options)
  expect(resumed.warnings.join()).toContain('mirror deleted nothing: this reading was interrupted more than a week ago')
  expect(await target.sync(flow, 'left', options)).toMatchObject({ mirroredRows: 1 })
  // One that is closed.
  Object.assign(state, { list: numbered(3), breaks: true })
  await target.sync(flow, 'left', options)
  await target.query(`select sluice.close('left', 'items', '', 'given up')`)
  await target.sync(other, 'other')
  expect(await noted()).toEqual([])
})

test('rows that were written since the reading began stay, whoever wrote them', async () => {
  const state = { list: numbered(4) }
  const items = source<Item>(async function* ({ position }) {
    if (position === undefined) yield { records: state.list.slice(0, 2), position: 1 }
    if (state.list.length < 4) await target.query(`insert into t.since (id) values (9)`)
    yield { records: state.list.slice(2) }
  })
  const flow = items.into('t.since', { key: 'id', mirror: true })
  await target.sync(flow, 'since', { batch: { rows: 1 } })
  state.list = numbered(3)
  expect(await target.sync(flow, 'since', { batch: { rows: 1 } })).toMatchObject({ mirroredRows: 1 })
  expect(await target.idsOf('t.since')).toEqual([1, 2, 3, 9])
})

test('the row of a rejected record stays, and all rows do if nothing says which one is its own', async () => {
  const api = listed(numbered(6))
  const table = { key: 'id' as const, mirror: true, columns: { name: 'varchar(20)' as never } }
  const flow = api.items.into('t.rejects', table)
  await target.sync(flow, 'rejects')
  await target.query(`alter table t.rejects add check (name <> 'refused')`)
  api.list = [
    { id: 1, name: 'x'.repeat(30) },
    { id: 2, name: 'refused' },
    ...numbered(2, 3),
    { id: null as never, name: 'of any row' },
  ]
  const kept = await target.sync(flow, 'rejects')
  expect(kept.counts).toMatchObject({ rejected: 3 })
  expect(kept).not.toHaveProperty('mirroredRows')
  expect(kept.warnings.join()).toContain('mirror deleted nothing: records were rejected, and nothing says which rows')
  expect(await target.idsOf('t.rejects')).toHaveLength(6)
  api.list = api.list.slice(0, 4)
  expect(await target.sync(flow, 'rejects')).toMatchObject({ counts: { rejected: 2 }, mirroredRows: 2 })
  expect(await target.idsOf('t.rejects')).toEqual([1, 2, 3, 4])
  // A stage rejects the record as it was read. Its key counts where others show that the stage keeps keys.
  const staged = (rename: (id: number) => number) =>
    api.items
      .map(({ id, name }) => {
        if (name === 'refused') throw new TypeError('not this one')
        return { id: rename(id), name }
      })
      .into('t.rejects', table)
  api.list = [{ id: 2, name: 'refused' }, ...numbered(2, 3)]
  expect(
    await target.sync(
      staged((id) => id),
      'rejects',
    ),
  ).toMatchObject({ counts: { rejected: 1 }, mirroredRows: 1 })
  expect(await target.idsOf('t.rejects')).toEqual([2, 3, 4])
  expect(
    await target.sync(
      staged((id) => id + 10),
      'rejects',
    ),
  ).not.toHaveProperty('mirroredRows')
  expect(await target.idsOf('t.rejects')).toEqual([2, 3, 4, 13, 14])
  // It may also change the keys of some records only, behind those that are compared of each page.
  const some = api.items
    .map(({ id, name }) => {
      if (name === 'refused') throw new TypeError('not this one')
      return { id: id > 110 ? id + 1_000 : id, name }
    })
    .into('t.some', { key: 'id', mirror: true })
  api.list = numbered(120)
  await target.sync(some, 'some')
  api.list = [...numbered(119), { id: 120, name: 'refused' }]
  expect(await target.sync(some, 'some')).not.toHaveProperty('mirroredRows')
  expect(await target.idsOf('t.some', 'id = 1120')).toEqual([1120])
})

test('a part of a list deletes nothing: without a page, from a date on, or unchanged', async () => {
  const state = { status: 200, etag: 'one' }
  await using api = await apiServer(({ path, headers }) => {
    if (path === '/parents') return { json: [{ id: 1 }, { id: 2 }] }
    if (path === '/whole')
      return headers['if-none-match'] === state.etag
        ? { status: 304 }
        : { json: numbered(state.etag === 'one' ? 4 : 3), headers: { etag: state.etag } }
    if (path === '/parents/2') return { status: state.status, json: state.status === 200 ? numbered(2, 20) : {} }
    return { json: numbered(2, 10).map((item) => ({ ...item, at: '2025-01-01T00:00:00Z' })) }
  })
  const at = http(api.origin, { responseRules: [{ status: 403, action: 'skip', expected: true }] })
  const parents = at.get<{ id: number }[]>('/parents').pages(onePage()).records()
  const children = (startFrom?: string) =>
    parents
      .flatMap(({ id }) => {
        const records = at.get<{ id: number; at: string }[]>(`/parents/${id}`).pages(onePage()).records()
        return startFrom && id === 1 ? records.incremental('at', { startFrom }) : records
      })
      .into('t.kept', { key: 'id', mirror: true, mostDeletes: '100%' })
  expect(await target.sync(children(), 'kept')).toMatchObject({ mirroredRows: 0, counts: { inserted: 4 } })
  state.status = 403
  const skipped = await target.sync(children(), 'kept')
  expect(skipped).toMatchObject({ status: 'done', completeness: { grade: 'ended' } })
  expect(skipped.warnings.join()).toMatch(/mirror deleted nothing: a rule left out the response of GET .* 403/)
  state.status = 200
  const later = await target.sync(children('2026-01-01T00:00:00Z'), 'kept')
  expect(later.warnings.join()).toContain('has read a part of a list, from 2026-01-01T00:00:00Z on')
  expect(await target.idsOf('t.kept')).toEqual([10, 11, 20, 21])

  const whole = at.get<Item[]>('/whole').pages(onePage(), { ifChanged: true }).records()
  const unchanged = whole.into('t.unchanged', { key: 'id', mirror: true })
  await target.sync(unchanged, 'unchanged')
  const none = await target.sync(unchanged, 'unchanged')
  expect(none.warnings).toEqual([])
  expect(none).not.toHaveProperty('mirroredRows')
  state.etag = 'two'
  expect(await target.sync(unchanged, 'unchanged')).toMatchObject({ mirroredRows: 1 })

  // A list that has not changed is not read: it has to be read once more after a reading that has deleted nothing.
  state.etag = 'one'
  const plain = whole.into('t.later', { key: 'id' })
  await target.sync(plain, 'later')
  state.etag = 'two'
  await target.sync(plain, 'later')
  const mirrored = whole.into('t.later', { key: 'id', mirror: true })
  expect(await target.sync(mirrored, 'later')).toMatchObject({ counts: { fetched: 3 }, mirroredRows: 1 })
  expect(await target.sync(mirrored, 'later')).toMatchObject({ counts: { fetched: 0 } })
  await target.query(`
    insert into t.later values (7, 'gone');
    create table t.of_later (id bigint references t.later); insert into t.of_later values (7)`)
  state.etag = 'one'
  expect((await target.sync(mirrored, 'later')).warnings.join()).toContain('mirror did not delete 1 row')
  await target.query('drop table t.of_later')
  expect(await target.sync(mirrored, 'later')).toMatchObject({ counts: { fetched: 4 }, mirroredRows: 1 })
})
