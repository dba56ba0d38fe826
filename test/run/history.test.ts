// Runs that write a history: interrupted and resumed, read in full again, backfilled, and with rejects.
import { expect, jest, test } from '@jest/globals'
import { byPage, http, pipeline, source, type Pipeline } from '../../src/index.ts'
import { readRejects } from '../../src/ledger/read/read-rejects.ts'
import { replay } from '../../src/run/replay/replay.ts'
import { runPipeline } from '../../src/run/run-pipeline.ts'
import { apiServer } from '../support/api-server.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'

jest.setTimeout(60_000)

interface Row {
  id: number
  name: string
  at: string
}
const day = (number: number): string => `2024-01-0${number}T00:00:00Z`

const lines = async ({ database }: TestDatabase): Promise<string[]> =>
  (
    await database.query<{ line: string }>(
      `select id || ' ' || to_char(_valid_from, 'DD') || '..' || coalesce(to_char(_valid_to, 'DD'), '') || ' ' || name
         as line from t.rows order by id, _valid_from`,
    )
  ).map(({ line }) => line)

test('a run that fails in the middle goes on at its page, and a full reading changes nothing', async () => {
  const pages: Row[][] = [
    [
      { id: 1, name: 'c', at: day(3) },
      { id: 2, name: 'x', at: day(1) },
    ],
    [{ id: 1, name: 'a', at: day(1) }],
    [
      { id: 1, name: 'b', at: day(2) },
      { id: 2, name: 'y', at: day(4) },
    ],
  ]
  let isBroken = true
  await using api = await apiServer(({ query }) => {
    const number = Number(query.get('page') ?? 1)
    return number === 3 && isBroken ? { status: 400, json: {} } : { json: pages[number - 1] ?? [] }
  })
  await using target = await testDatabase()
  const flow = pipeline('p', {
    streams: {
      rows: http(api.origin)
        .get<Row[]>('/rows')
        .pages(byPage('page'))
        .records()
        .into('t.rows', { key: 'id', write: 'history', versionBy: 'at' }),
    },
  })
  expect((await runPipeline(flow, { database: target.url })).status).toBe('failed')
  expect(await lines(target)).toEqual(['1 01..03 a', '1 03.. c', '2 01.. x'])
  isBroken = false
  const { streams } = await runPipeline(flow, { database: target.url })
  expect(streams.rows.counts).toMatchObject({ inserted: 2, updated: 0 })
  const whole = ['1 01..02 a', '1 02..03 b', '1 03.. c', '2 01..04 x', '2 04.. y']
  expect(await lines(target)).toEqual(whole)
  const again = await runPipeline(flow, { database: target.url, full: true })
  expect(again.streams.rows.counts).toMatchObject({ inserted: 0, updated: 0 })
  expect(await lines(target)).toEqual(whole)
})

test('a full reading says how many current rows it did not bring, and earlier versions are none of them', async () => {
  await using target = await testDatabase()
  let rows: Row[] = [1, 2, 3].map((id) => ({ id, name: 'a', at: day(1) }))
  const read = async (): Promise<number | undefined> => {
    const flow = refusing(() => rows, [], 'at')
    return (await runPipeline(flow, { database: target.url })).streams['rows']?.keptRows
  }
  expect(await read()).toBe(0)
  rows = rows.map((row) => ({ ...row, name: 'b', at: day(2) }))
  expect(await read()).toBe(0)
  rows = rows.slice(1)
  expect(await read()).toBe(1)
})

test('a deleted record ends the version in which its time falls, and a late row stays behind it', async () => {
  await using target = await testDatabase()
  let rows: (Row & { gone?: boolean })[] = []
  const flow = pipeline('p', {
    streams: {
      rows: source<Row & { gone?: boolean }>(async function* () {
        yield { records: rows }
      })
        .deleted({ field: 'gone', is: true })
        .omit('gone')
        .into('t.rows', { key: 'id', write: 'history', versionBy: 'at' }),
    },
  })
  const read = async (...given: typeof rows): Promise<unknown> => {
    rows = given
    return (await runPipeline(flow, { database: target.url })).streams.rows.counts
  }
  await read({ id: 1, name: 'a', at: day(1) })
  expect(await read({ id: 1, name: 'd', at: day(4) }, { id: 1, name: 'c', at: day(6), gone: true })).toMatchObject({
    inserted: 1,
    deleted: 1,
  })
  expect(await lines(target)).toEqual(['1 01..04 a', '1 04..06 d'])
  // The deletion of a row that is new in its batch.
  await read({ id: 2, name: 'y', at: day(3), gone: true }, { id: 2, name: 'x', at: day(1) })
  expect(await target.database.query('select * from t.rows_current')).toEqual([])
  await read({ id: 1, name: 'b', at: day(2) }, { id: 1, name: 'e', at: day(5) }, { id: 1, name: 'h', at: day(8) })
  expect(await lines(target)).toEqual([
    '1 01..02 a',
    '1 02..04 b',
    '1 04..05 d',
    '1 05..06 e',
    '1 08.. h',
    '2 01..03 x',
  ])
})

/** A stream whose map refuses some names as long as it is broken. */
function refusing(rows: () => readonly object[], refused: readonly string[], versionBy?: 'at'): Pipeline {
  return pipeline('p', {
    streams: {
      rows: source<Row>(async function* () {
        yield { records: rows() as Row[] }
      })
        .map((row) => {
          if (refused.includes(row.name)) throw new Error(`no ${row.name}`)
          return row
        })
        .into('t.rows', { key: 'id', write: 'history', ...(versionBy && { versionBy }) }),
    },
  })
}

test('a rejected version waits until it is stored itself, although a newer one was', async () => {
  await using target = await testDatabase()
  let rows: Row[] = [
    { id: 1, name: 'a', at: day(1) },
    { id: 1, name: 'bad', at: day(2) },
  ]
  const options = { database: target.url }
  await runPipeline(
    refusing(() => rows, ['bad'], 'at'),
    options,
  )
  rows = [{ id: 1, name: 'c', at: day(3) }]
  await runPipeline(
    refusing(() => rows, ['bad'], 'at'),
    options,
  )
  expect(await readRejects(target.database)).toHaveLength(1)
  await replay(
    refusing(() => rows, [], 'at'),
    options,
  )
  expect(await lines(target)).toEqual(['1 01..02 a', '1 02..03 bad', '1 03.. c'])
  expect(await readRejects(target.database)).toEqual([])
})

test('without a version a replayed reject does not end the version that was stored meanwhile', async () => {
  await using target = await testDatabase()
  let rows: object[] = [
    { id: 1, name: 'bad' },
    { id: 2, name: 'bad' },
  ]
  const options = { database: target.url }
  await runPipeline(
    refusing(() => [...rows, { id: 3, name: 'x' }], ['bad']),
    options,
  )
  rows = [{ id: 1, name: 'new' }]
  await target.database.query(`insert into t.rows (id, name, _valid_from) values (1, 'new', now())`)
  const report = await replay(
    refusing(() => rows, []),
    options,
  )
  expect(report?.streams['rows']?.counts).toMatchObject({ inserted: 1, duplicate: 1 })
  expect(await target.database.query('select id::int, name from t.rows_current order by id')).toEqual([
    { id: 1, name: 'new' },
    { id: 2, name: 'bad' },
    { id: 3, name: 'x' },
  ])
})
