import { expect, jest, test } from '@jest/globals'
import { http, onePage, pipeline, verify } from '../../../src/index.ts'
import { runPipeline } from '../../../src/run/run-pipeline.ts'
import { verifyPipeline } from '../../../src/run/verify/verify-pipeline.ts'
import { apiServer } from '../../support/api-server.ts'
import { testDatabase } from '../../support/database.ts'
import { orders, runAll, shopApi, shops, shopsJson } from '../accounts/support.ts'

jest.setTimeout(60_000)

interface Item {
  id: number
  at: string
  name?: string
  note?: string
  seen?: number
  gone?: boolean
  amount?: number
}

const at = (day: number): string => `2024-01-0${day}T00:00:00Z`

test('each is compared by its own rules, and repaired by a full run where it has no windows', async () => {
  let list: Item[] = [1, 2, 3, 4].map((id) => ({ id, at: at(id), name: `n${id}`, note: 'first', seen: 1 }))
  await using api = await apiServer(() => ({ json: list }))
  await using test = await testDatabase()
  const items = () => http(api.origin).get<Item[]>('/items').pages(onePage()).records()
  const flow = pipeline('modes', {
    streams: {
      appended: items().into('t.appended', { key: 'id', write: 'append' }),
      history: items().into('t.history', { key: 'id', write: 'history' }),
      replaced: items().into('t.replaced', { key: 'id', write: 'replace' }),
      kept: items().into('t.kept', {
        key: 'id',
        versionBy: 'at',
        absent: 'keep',
        insertOnly: 'note',
        ignoreChanges: 'seen',
        lineage: true,
      }),
      deleted: items()
        .deleted(({ gone }) => gone === true)
        .into('t.deleted', { key: 'id', deleted: 'mark' }),
    },
  })
  await runPipeline(flow, { database: test.url })
  for (const table of ['appended', 'history', 'replaced', 'kept', 'deleted']) {
    await test.database.query(`delete from t.${table} where id = 1`)
    await test.database.query(`update t.${table} set name = 'altered' where id = 2`)
  }
  await test.database.query(`update t.kept set note = 'later', seen = 9 where id = 3`)
  await test.database.query(`update t.kept set at = '2025-01-01', name = 'later' where id = 4`)
  await test.database.query('update t.deleted set _deleted_at = now() where id = 3')
  // A field that the table has no column for, one that is absent, and a record that is gone.
  list = [...list.slice(0, 2), { id: 3, at: at(3), note: 'second', seen: 2 }, { ...list[3]!, gone: true }]
  const summary = async (repair = false): Promise<unknown> =>
    Object.fromEntries(
      (await verifyPipeline(flow, { database: test.url, repair })).map(({ stream, status, counts, repair }) => [
        stream,
        [status, counts.missing, counts.stale, counts.newer, counts.extra, repair?.how, repair?.left],
      ]),
    )
  expect(await summary(true)).toEqual({
    // What is stored stays as it is.
    appended: ['equal', 1, 0, 0, 0, 'full', 0],
    // Records 3 and 4 have other values now.
    history: ['equal', 1, 3, 0, 0, 'full', 0],
    replaced: ['equal', 1, 3, 0, 0, 'full', 0],
    // Record 3 lacks its name, and its other fields do not count; 4 is newer in the table than at the source.
    kept: ['different', 1, 1, 1, 0, 'full', 0],
    // The mark of 3 is wrong, and 4 should have one.
    deleted: ['different', 1, 2, 0, 1, 'full', 0],
  })
  // A full run marks what is announced as deleted.
  expect(await summary()).toEqual({
    appended: ['equal', 0, 0, 0, 0, undefined, undefined],
    history: ['equal', 0, 0, 0, 0, undefined, undefined],
    replaced: ['equal', 0, 0, 0, 0, undefined, undefined],
    kept: ['different', 0, 0, 1, 0, undefined, undefined],
    deleted: ['equal', 0, 0, 0, 0, undefined, undefined],
  })
  expect(await test.database.query('select name, note from t.kept where id = 3')).toEqual([
    { name: 'n3', note: 'later' },
  ])
})

test('values that the table cannot hold make rows stale, and a key that is read twice is as in a run', async () => {
  let list: Item[] = [1, 2, 3].map((id) => ({ id, at: at(id), amount: id }))
  await using api = await apiServer(() => ({ json: list }))
  await using test = await testDatabase()
  const items = http(api.origin).get<Item[]>('/items').pages(onePage()).records()
  const flow = pipeline('shapes', {
    streams: {
      rows: items.deleted(({ gone }) => gone === true).into('t.rows', { key: 'id', versionBy: 'at' }),
    },
  })
  await runPipeline(flow, { database: test.url })
  list = [
    // Older than the row that follows, then newer than the one before.
    { id: 1, at: at(5), amount: 7 },
    { id: 1, at: at(4), amount: 6 },
    { id: 2, at: at(2), amount: 2.5 },
    { id: 3, at: at(3), amount: 3, note: 'new' },
    { id: 4, at: at(4), amount: 4 },
    // Deleted after it was read, and read after it was deleted.
    { id: 4, at: at(5), gone: true },
    { id: 5, at: at(4), gone: true },
    { id: 5, at: at(5), amount: 5 },
  ]
  const [found] = await verifyPipeline(flow, { database: test.url })
  expect(found).toMatchObject({
    counts: { read: 4, equal: 0, missing: 1, stale: 3, extra: 0 },
    samples: [
      { kind: 'missing', key: { id: 5 } },
      { columns: [{ column: 'at' }, { column: 'amount', before: '1', after: '7' }] },
      { columns: [{ column: 'amount', before: '2', after: '2.5' }] },
      { columns: [{ column: 'note', before: null, after: 'new' }] },
    ],
  })
  expect(await verifyPipeline(flow, { database: test.url, repair: true })).toMatchObject([
    { status: 'equal', repair: { how: 'full', missing: 1, stale: 3, left: 0 } },
  ])
})

test('of a table that accounts share, only the rows of the account are compared', async () => {
  await using api = await shopApi((account) => orders(account, account === 'north' ? 3 : 2))
  await using test = await testDatabase()
  const definition = shops(api.origin)
  const SHOPS = shopsJson(['north', 'south'])
  await runAll(definition, { database: test.url, SHOPS })
  await test.database.query(`delete from shop.orders where account = 'south' and id = 1`)
  await test.database.query(`insert into shop.orders select account, 9, of, updated from shop.orders where id = 3`)
  const { ok, streams } = await verify(definition, { database: test.url, environment: { SHOPS } })
  expect(ok).toBe(false)
  expect(streams).toMatchObject([
    { pipeline: 'shops@north', status: 'different', counts: { read: 3, missing: 0, extra: 1 } },
    { pipeline: 'shops@south', status: 'different', counts: { read: 2, missing: 1, extra: 0 } },
  ])
})
