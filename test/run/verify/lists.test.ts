import { expect, jest, test } from '@jest/globals'
import { diffText } from '../../../src/cli/output/diff-text.ts'
import { verificationText } from '../../../src/cli/output/verification-text.ts'
import { byCursor, http, pipeline, since, until } from '../../../src/index.ts'
import { Comparison } from '../../../src/load/compare/comparison.ts'
import { NeedsSchemaChange } from '../../../src/load/shape/schema-change.ts'
import { runPipeline } from '../../../src/run/run-pipeline.ts'
import { diffPipeline } from '../../../src/run/verify/diff-pipeline.ts'
import { verifyPipeline } from '../../../src/run/verify/verify-pipeline.ts'
import { answering, moment, rows, type Row } from '../../backfill/source.ts'
import { apiServer } from '../../support/api-server.ts'
import { testDatabase, type TestDatabase } from '../../support/database.ts'

jest.setTimeout(60_000)

interface Order extends Row {
  lines: { line: number; sku: string; discounts: { percent: number }[] }[]
  tags: string[]
}
const order = (row: Row): Order => ({
  ...row,
  lines: [1, 2].map((line) => ({ line, sku: `sku ${row.id} ${line}`, discounts: [{ percent: line }] })),
  tags: ['red', 'green'],
})
const shop = (origin: string, range: boolean) => {
  const every = http(origin)
    .get<{ items: Order[]; next: string | null }>('/rows', range ? { since, until } : {})
    .pages(byCursor('after', 'next'))
    .records('items')
  return pipeline('nested', {
    streams: {
      rows: (range ? every.incremental('updated') : every).into('t.rows', {
        key: 'id',
        children: { lines: { key: 'line', children: { discounts: {} } }, tags: {} },
      }),
    },
  })
}
const spoil = async ({ database }: TestDatabase): Promise<void> => {
  for (const statement of [
    'delete from t.rows_lines where (rows_id, line) = (3, 2)',
    `update t.rows_lines set sku = 'altered' where (rows_id, line) = (40, 1)`,
    `insert into t.rows_lines (rows_id, line, sku) values (5, 9, 'added')`,
    'delete from t.rows_lines_discounts where (rows_id, lines_line) = (6, 1)',
    `insert into t.rows_tags (rows_id, _index, value) values (7, 2, 'blue')`,
  ])
    await database.query(statement)
}

test.each([true, false])('entries that differ are found and repaired (in windows: %s)', async (range) => {
  await using api = await apiServer(answering(() => rows(50).map(order), 2))
  await using test = await testDatabase()
  const flow = shop(api.origin, range)
  await runPipeline(flow, { database: test.url })
  const none = { missing: 0, stale: 0, extra: 0, changedMeanwhile: 0 }
  const lines = { table: 't.rows_lines', counts: { ...none, read: 100, equal: 100 }, samples: [] }
  const discounts = { ...lines, table: 't.rows_lines_discounts' }
  const tags = { ...lines, table: 't.rows_tags' }
  const equal = { status: 'equal', counts: { read: 50, equal: 50 }, lists: [lines, discounts, tags] }
  expect(await verifyPipeline(flow, { database: test.url })).toMatchObject([equal])

  await spoil(test)
  const asked = api.requests.length
  const [repaired] = await verifyPipeline(flow, { database: test.url, repair: true })
  expect(repaired).toMatchObject({
    status: 'equal',
    counts: { read: 50, equal: 50, missing: 0, stale: 0 },
    lists: [
      {
        counts: { read: 100, equal: 98, missing: 1, stale: 1, extra: 1 },
        samples: [
          { kind: 'missing', key: { rows_id: 3, line: 2 } },
          {
            kind: 'stale',
            key: { rows_id: 40, line: 1 },
            columns: [{ column: 'sku', before: 'altered', after: 'sku 40 1' }],
          },
          { kind: 'extra', key: { rows_id: 5, line: 9 } },
        ],
      },
      {
        counts: { read: 100, equal: 99, missing: 1, stale: 0, extra: 0 },
        samples: [{ kind: 'missing', key: { rows_id: 6, lines_line: 1, _index: 0 } }],
      },
      {
        counts: { read: 100, equal: 100, missing: 0, stale: 0, extra: 1 },
        samples: [{ kind: 'extra', key: { rows_id: 7, _index: 2 } }],
      },
    ],
    repair: { how: range ? 'windows' : 'full', status: 'done', lists: { repaired: 5, left: 0 } },
  })
  expect(verificationText(repaired!)).toContain('1 extra: in the table, not in the list of its record')
  // Two records are a page.
  expect(api.requests.length - asked - repaired!.requests).toBeLessThanOrEqual(range ? 10 : 25)
  expect(await verifyPipeline(flow, { database: test.url })).toMatchObject([equal])
})

test('what a run has stored since, or reads next, is no fault; lists of records that are missing are', async () => {
  const data = rows(20).map(order)
  await using api = await apiServer(answering(() => data))
  await using test = await testDatabase()
  const flow = shop(api.origin, true)
  await runPipeline(flow, { database: test.url })
  await test.database.query('delete from t.rows where id = 2')
  await test.database.query('delete from t.rows_lines where rows_id = 2')
  data.push({ ...order({ id: 20, name: 'later', updated: moment(30) }), tags: [] })
  data[19] = { ...data[19]!, updated: moment(31), lines: [] }
  const [found] = await verifyPipeline(flow, {
    database: test.url,
    from: '2024-01-01',
    to: '2024-01-04',
    window: '12h',
  })
  expect(found).toMatchObject({
    status: 'different',
    counts: { read: 21, missing: 1, notReadYet: 2 },
    lists: [
      { counts: { read: 38, equal: 36, missing: 2, stale: 0, extra: 0 } },
      { counts: { read: 38, equal: 38, missing: 0 } },
      { counts: { read: 38, equal: 38, extra: 0 } },
    ],
  })
  expect(found!.windows!.filter(({ lists }) => lists!.some(({ counts }) => counts.missing > 0))).toHaveLength(1)
})

test('of a record that is read twice, the lists of the later one are compared', async () => {
  const [first] = rows(1).map(order)
  const later = { ...first!, lines: first!.lines.slice(0, 1) }
  await using api = await apiServer(answering(() => [later]))
  await using test = await testDatabase()
  const flow = shop(api.origin, false)
  await runPipeline(flow, { database: test.url })
  await using comparison = await Comparison.open(test.database, flow.streams.rows.table, {
    streamName: 'nested.rows',
    lists: true,
  })
  const { rows: read } = comparison
  const counts = { fetched: 1, expanded: 0, filtered: 0, duplicate: 0, deleted: 0, rejected: 0, parents: 0 }
  for (const record of [first, later]) {
    const page = read.encode({ records: [record], counts, rejects: [] })
    if (page instanceof NeedsSchemaChange) throw new Error('the tables have all columns')
    await read.write([page])
    page[Symbol.dispose]()
  }
  expect(await comparison.compare({ part: 0 })).toMatchObject({ equal: 1 })
  const none = { missing: 0, stale: 0, extra: 0 }
  expect(await comparison.compareLists(0, 3)).toMatchObject([
    { counts: { ...none, read: 1, equal: 1 } },
    { counts: { ...none, read: 1, equal: 1 } },
    { counts: { ...none, read: 2, equal: 2 } },
  ])
})

test('diff says what the next run changes in the tables of lists, and that run changes it', async () => {
  const data = rows(8).map(order)
  await using api = await apiServer(answering(() => data))
  await using test = await testDatabase()
  const table = { key: 'id', mirror: true, children: { lines: { key: 'line', children: { discounts: {} } }, tags: {} } }
  const flow = pipeline('nested', {
    streams: {
      rows: http(api.origin)
        .get<{ items: Order[]; next: string | null }>('/rows')
        .pages(byCursor('after', 'next'))
        .records('items')
        .into('t.rows', table as { key: 'id' }),
    },
  })
  const [first] = await diffPipeline(flow, { database: test.url })
  expect(first).toMatchObject({ insert: 8, lists: [{ insert: 16 }, { insert: 16 }, { insert: 16 }] })
  await runPipeline(flow, { database: test.url })
  await test.database.query(`update t.rows_lines set sku = 'altered' where (rows_id, line) = (4, 1)`)
  await test.database.query('delete from t.rows_tags where (rows_id, _index) = (5, 1)')
  data[2] = { ...data[2]!, lines: [], tags: ['blue', 'green', 'yellow'] }
  data.splice(7, 1)
  const [found] = await diffPipeline(flow, { database: test.url })
  const none = { insert: 0, update: 0, changedMeanwhile: 0 }
  expect(found).toMatchObject({
    ...none,
    read: 7,
    delete: 1,
    unchanged: 7,
    lists: [
      {
        ...none,
        table: 't.rows_lines',
        read: 12,
        update: 1,
        unchanged: 11,
        delete: 4,
        samples: [
          { kind: 'stale', key: { rows_id: 4, line: 1 }, columns: [{ before: 'altered', after: 'sku 4 1' }] },
          { kind: 'extra', key: { rows_id: 2, line: 1 } },
          { kind: 'extra', key: { rows_id: 2, line: 2 } },
        ],
      },
      { ...none, table: 't.rows_lines_discounts', read: 12, unchanged: 12, delete: 4 },
      { ...none, table: 't.rows_tags', read: 15, insert: 2, update: 1, unchanged: 12, delete: 2 },
    ],
  })
  expect(diffText(found!)).toContain(
    '  t.rows_lines: 12 entries of these records\n    1 to update\n      rows_id 4, line 1',
  )
  const { streams } = await runPipeline(flow, { database: test.url })
  expect(streams.rows).toMatchObject({
    mirroredRows: 1,
    children: {
      't.rows_lines': { inserted: 0, updated: 1, unchanged: 11, deleted: 4 },
      't.rows_lines_discounts': { inserted: 0, updated: 0, unchanged: 12, deleted: 4 },
      't.rows_tags': { inserted: 2, updated: 1, unchanged: 12, deleted: 2 },
    },
  })
})
