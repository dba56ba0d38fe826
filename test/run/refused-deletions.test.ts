// Deletions that the database refuses, that come from another endpoint, or that a history keeps.
import { expect, jest, test } from '@jest/globals'
import { http, onePage, pipeline } from '../../src/index.ts'
import { replay } from '../../src/run/replay/replay.ts'
import { runPipeline } from '../../src/run/run-pipeline.ts'
import { apiServer } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'
import { listing, one, rowsOf, type Item } from '../support/listing.ts'

jest.setTimeout(60_000)

test('a row that the database refuses to delete is rejected alone, and deleted by a replay', async () => {
  await using api = await listing([
    { id: 1, name: 'one' },
    { id: 2, name: 'two' },
    { id: 3, name: 'three' },
  ])
  await using target = await testDatabase()
  const flow = one(api.items.deleted(({ gone }) => gone === true).into('t.items', { key: 'id' }))
  await runPipeline(flow, { database: target.url })
  await target.database.query('create table t.parts (item bigint references t.items deferrable initially deferred)')
  await target.database.query('insert into t.parts values (2)')
  api.list = [
    { id: 1, gone: true },
    { id: 2, gone: true },
    { id: 3, gone: true },
    { id: 4, name: 'four' },
  ]
  const { counts } = (await runPipeline(flow, { database: target.url })).streams['items']
  expect(counts).toMatchObject({ fetched: 4, deleted: 2, rejected: 1, inserted: 1 })
  expect(await rowsOf(target)).toEqual([
    [2, 'two'],
    [4, 'four'],
  ])
  const [reject] = await target.database.query<{ reason: string }>('select reason from sluice.rejects')
  expect(reject?.reason).toMatch(/^its row cannot be deleted: .*foreign key.*Delete the rows that refer to it first/)
  await target.database.query('delete from t.parts')
  // Nothing decides whether the row is newer. The deletion is not counted, and waits.
  const kept = await replay(flow, { database: target.url })
  expect(kept?.streams['items']?.counts).toMatchObject({ deleted: 0, rejected: 1 })
  expect(await rowsOf(target)).toHaveLength(2)
  const [again] = await target.database.query<{ reason: string }>(
    'select reason from sluice.rejects where settled_at is null',
  )
  expect(again?.reason).toContain('its row is stored, and may be newer')
  const replayed = await replay(flow, { database: target.url, overwrite: true })
  expect(replayed?.streams['items']?.counts).toMatchObject({ deleted: 1 })
  expect(await rowsOf(target)).toEqual([[4, 'four']])
})

test('a list of deleted ids from another endpoint deletes the rows of a table', async () => {
  const records = [
    { id: 1, name: 'one' },
    { id: 2, name: 'two' },
  ]
  await using api = await apiServer(({ path }) => ({ json: path === '/items' ? records : { ids: [2, 7] } }))
  await using target = await testDatabase()
  const base = http(api.origin)
  const flow = pipeline('p', {
    streams: {
      items: base.get<Item[]>('/items').pages(onePage()).records().into('t.items', { key: 'id' }),
      gone: base
        .get<{ ids: number[] }>('/deleted')
        .pages(onePage())
        .records('ids')
        .map((id) => ({ id }))
        .deleted(() => true)
        .into('t.items', { key: 'id' }),
    },
  })
  await runPipeline(flow, { database: target.url, streams: ['items'] })
  const report = await runPipeline(flow, { database: target.url, streams: ['gone'] })
  expect(report.streams.gone.counts).toMatchObject({ fetched: 2, deleted: 2 })
  expect(await rowsOf(target)).toEqual([[1, 'one']])
})

test('in a history a deletion ends the version that it falls into', async () => {
  await using api = await listing([
    { id: 1, name: 'first', at: '2025-01-01T00:00:00Z' },
    { id: 2, name: 'first', at: '2025-01-01T00:00:00Z' },
    { id: 3, name: 'first', at: '2025-01-01T00:00:00Z' },
  ])
  await using target = await testDatabase()
  const flow = one(
    api.items
      .deleted(({ gone }) => gone === true)
      .into('t.items', { key: 'id', write: 'history', versionBy: 'at', columns: { at: 'timestamptz' } }),
  )
  await runPipeline(flow, { database: target.url })
  api.list = [
    { id: 1, gone: true, at: '2025-01-05T00:00:00Z' },
    { id: 2, name: 'second', at: '2025-01-02T00:00:00Z' },
    { id: 2, gone: true, at: '2025-01-03T00:00:00Z' },
    { id: 2, name: 'back', at: '2025-01-04T00:00:00Z' },
    { id: 3, gone: true },
  ]
  await runPipeline(flow, { database: target.url })
  const versions = await rowsOf(
    target,
    `id::int, name, to_char(_valid_to, 'MM-DD') = to_char(now(), 'MM-DD'), _valid_to`,
  )
  expect(versions.map((row) => JSON.stringify(row)).toSorted()).toMatchObject([
    '[1,"first",false,"2025-01-05T00:00:00.000Z"]',
    '[2,"back",null,null]',
    '[2,"first",false,"2025-01-02T00:00:00.000Z"]',
    '[2,"second",false,"2025-01-03T00:00:00.000Z"]',
    expect.stringMatching(/^\[3,"first",true,/),
  ])
})

const dayOf = (column: string): string => `to_char(${column} at time zone 'UTC', 'MM-DD')`
const version = (name: string, day: string): Item => ({ id: 1, name, at: `2025-${day}T00:00:00Z` })

test('in a history a deletion without a time is undone by a version that is newer, and only by one', async () => {
  await using api = await listing([])
  await using target = await testDatabase()
  const flow = one(
    api.items
      .deleted(({ gone }) => gone === true)
      .into('t.items', { key: 'id', write: 'history', versionBy: 'at', columns: { at: 'timestamptz' } }),
  )
  const versionsAfter = async (...list: Item[]): Promise<string[]> => {
    api.list = list
    await runPipeline(flow, { database: target.url })
    const end = `coalesce(${dayOf('_valid_to')}, '')`
    const ends = `case when _valid_to > now() - interval '1 hour' then 'now' else ${end} end`
    const rows = await target.database.query<{ line: string }>(
      `select name || ' ' || ${dayOf('_valid_from')} || '..' || ${ends} as line from t.items order by _valid_from`,
    )
    return rows.map(({ line }) => line)
  }
  await versionsAfter(version('first', '01-03'))
  expect(await versionsAfter({ id: 1, gone: true })).toEqual(['first 01-03..now'])
  // What was read before, and what is older, does not bring it back.
  expect(await versionsAfter(version('first', '01-03'))).toEqual(['first 01-03..now'])
  const late = ['late 01-01..01-03', 'first 01-03..now']
  expect(await versionsAfter(version('late', '01-01'))).toEqual(late)
  expect(await versionsAfter({ id: 1, gone: true }, version('first', '01-03'))).toEqual(late)
  // Its version is older than the moment at which the deletion was loaded, and newer than what was deleted.
  const back = ['late 01-01..01-03', 'first 01-03..01-05', 'back 01-05..']
  expect(await versionsAfter(version('back', '01-05'))).toEqual(back)
  // Deleted again, and now the API tells when: the end is known, and what falls before it is over.
  await versionsAfter({ id: 1, gone: true })
  await versionsAfter({ id: 1, gone: true, at: '2025-01-08T00:00:00Z' })
  expect(await versionsAfter(version('over', '01-07'))).toEqual([
    ...back.slice(0, 2),
    'back 01-05..01-07',
    'over 01-07..01-08',
  ])
})
