// Where a reading ends, and how sure it is that it was all: each case through a whole run.
import { describe, expect, test } from '@jest/globals'
import {
  byCursor,
  byLinkHeader,
  byOffset,
  byPage,
  http,
  inHeader,
  onePage,
  pipeline,
  since,
  source,
  type Flow,
  type HttpApi,
  type Stream,
  type StreamReport,
} from '../../src/index.ts'
import { runPipeline } from '../../src/run/run-pipeline.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'
import { readingApi, type Body, type Row } from './reading-api.ts'

interface Outcome {
  readonly report: StreamReport
  /** Ids in the table. */
  readonly ids: number[]
}

/** Runs a pipeline of one stream, as often as asked, and returns what came of the last run. */
async function outcomeOf(makeRows: (api: HttpApi) => Stream<Row>, runs = 1): Promise<Outcome> {
  await using server = await readingApi()
  await using test = await testDatabase()
  const api = http(server.origin, { attempts: 1 })
  const rows = makeRows(api).into('t.rows', { key: 'id' })
  let report: StreamReport | undefined
  for (let run = 0; run < runs; run++) report = await runOnce(rows, test)
  const stored = await test.database.query<{ id: number }>('select id::int from t.rows order by id').catch(() => [])
  if (!report) throw new Error('there was no run')
  return { report, ids: stored.map(({ id }) => id) }
}

async function runOnce(rows: Flow<Row>, { url }: TestDatabase): Promise<StreamReport> {
  return (await runPipeline(pipeline('cases', { streams: { rows } }), { database: url })).streams.rows
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, n) => from + n)
const ended = { grade: 'ended', reasons: [] }
const open = (reason: string): object => ({ grade: 'open', reasons: [expect.stringContaining(reason)] })

describe('an empty page', () => {
  test('is stepped over while `more` is true', async () => {
    const { report, ids } = await outcomeOf((api) =>
      api
        .get<Body>('/empty-page-more')
        .pages(byPage('page', { more: 'has_more' }))
        .records('items'),
    )
    expect(report).toMatchObject({ status: 'done', completeness: ended, warnings: [] })
    expect(ids).toEqual([...range(10, 20), ...range(30, 50), ...range(60, 90)])
  })

  test('is stepped over below the number of pages', async () => {
    const { report, ids } = await outcomeOf((api) =>
      api
        .get<Body>('/empty-page-pages')
        .pages(byPage('page', { pages: 'pages' }))
        .records('items'),
    )
    expect(report).toMatchObject({ status: 'done', completeness: ended, warnings: [] })
    expect(ids).toEqual([...range(10, 20), ...range(30, 50)])
  })

  test('below the total is not met by pages that overlap, as it is at one offset only', async () => {
    const { report, ids } = await outcomeOf((api) =>
      api
        .get<Body>('/empty-page-total', { limit: 10 })
        .pages(byOffset('offset', { total: 'total' }))
        .records('items'),
    )
    expect(report).toMatchObject({ completeness: { grade: 'counted' }, warnings: [] })
    expect(ids).toEqual(range(0, 50))
  })

  test('below the total is stepped over, and the reading is open', async () => {
    const { report, ids } = await outcomeOf((api) =>
      api
        .get<Body>('/empty-page-total', { limit: 10 })
        .pages(byOffset('offset', { total: 'total', overlap: false }))
        .records('items'),
    )
    expect(report.completeness).toMatchObject({ grade: 'open' })
    expect(report.completeness?.reasons.join('; ')).toContain("40 records came, but 'total' states 50")
    expect(report.warnings).toEqual([expect.stringContaining("40 records came, but 'total' states 50")])
    expect(ids).toEqual([...range(0, 20), ...range(30, 50)])
  })

  test('after another, a hundred times, is an error', async () => {
    const { report } = await outcomeOf((api) =>
      api
        .get<Body>('/never-ending')
        .pages(byPage('page', { more: 'has_more' }))
        .records('items'),
    )
    expect(report).toMatchObject({ status: 'failed', error: expect.stringContaining('more than 100 pages in a row') })
    expect(report.completeness).toBeUndefined()
  })
})

describe('a way on', () => {
  test('that has another name now makes the reading open, and the reason names it', async () => {
    const { report, ids } = await outcomeOf((api) =>
      api.get<Body>('/renamed-cursor').pages(byCursor('cursor', 'meta.next')).records('items'),
    )
    expect(report.completeness).toEqual(open("'meta.next'. The response has 'meta.next_cursor'"))
    expect(report.warnings).toEqual([expect.stringContaining("'meta.next_cursor'")])
    expect(ids).toEqual(range(0, 10))
  })

  test('that is left out at the end ends the reading', async () => {
    const { report, ids } = await outcomeOf((api) =>
      api.get<Body>('/omits-cursor-at-end').pages(byCursor('cursor', 'meta.next')).records('items'),
    )
    expect(report).toMatchObject({ status: 'done', completeness: ended, warnings: [] })
    expect(ids).toEqual(range(0, 95))
  })

  test('that is sent only if a page is asked for makes the reading open, by a total in a header', async () => {
    const { report, ids } = await outcomeOf((api) => api.get<Row[]>('/link-on-demand').pages(byLinkHeader()).records())
    expect(report.completeness).toEqual(open("100 records came, but the header 'x-total-count' states 2,000"))
    expect(ids).toHaveLength(100)
  })
})

describe('a number of all records', () => {
  test('in a header that the pipeline does not name proves that all of them came', async () => {
    const { report, ids } = await outcomeOf((api) =>
      api
        .get<Row[]>('/in-headers')
        .pages(byPage('page', { pages: inHeader('x-total-pages') }))
        .records(),
    )
    expect(report).toMatchObject({
      status: 'done',
      completeness: { grade: 'counted', reasons: [] },
      warnings: [],
    })
    expect(ids).toEqual(range(0, 37))
  })

  test.each(['touched', 'deleted'] as const)('%s: a list that moves loses no row by offset', async (path) => {
    const { report, ids } = await outcomeOf((api) =>
      api
        .get<Body>(`/${path}`, { since })
        .pages(byOffset('offset', { total: 'total' }))
        .records('items')
        .incremental('updated_at'),
    )
    expect(report).toMatchObject({ status: 'done', completeness: { grade: 'counted' }, warnings: [] })
    expect(range(0, 100).filter((id) => !ids.includes(id))).toEqual([])
  })

  test('touched: a list that moves is read once more by page number, and no row is lost', async () => {
    const { report, ids } = await outcomeOf((api) =>
      api
        .get<Body>('/touched', { since })
        .pages(byPage('page', { pages: 'pages' }))
        .records('items')
        .incremental('updated_at'),
    )
    expect(report).toMatchObject({ status: 'done', completeness: { grade: 'ended' }, warnings: [] })
    expect(range(0, 100).filter((id) => !ids.includes(id))).toEqual([])
  })
})

test('a status of emptyOn behind the last page ends the reading', async () => {
  const { report, ids } = await outcomeOf((api) =>
    api
      .get<Body>('/past-the-end', {}, { emptyOn: [400] })
      .pages(byPage('page'))
      .records('items'),
  )
  expect(report).toMatchObject({ status: 'done', completeness: ended, warnings: [] })
  expect(ids).toEqual(range(10, 40))
})

test('children whose second page is not read make one reason', async () => {
  const { report, ids } = await outcomeOf((api) =>
    api
      .get<Body>('/lists')
      .pages(onePage())
      .records('items')
      .flatMap(({ id }) => api.get<Body>('/list-of-two-pages', { list: id }).pages(onePage()).records('items')),
  )
  expect(report.completeness).toEqual(
    open('3 children may be incomplete, such as GET /list-of-two-pages: only one page was read, by onePage()'),
  )
  expect(report.warnings).toHaveLength(1)
  expect(ids).toHaveLength(9)
})

test('a field of .incremental that no record has makes the reading open, and the reason lists the fields', async () => {
  const { report } = await outcomeOf((api) =>
    api
      .get<Body>('/past-the-end', {}, { emptyOn: [400] })
      .pages(byPage('page'))
      .records('items')
      .incremental('modified' as 'updated_at'),
  )
  expect(report.completeness).toEqual(open('none of 30 records has this field. A record has id, updated_at.'))
})

test('a custom source says that it is not complete', async () => {
  const { report } = await outcomeOf(() =>
    source<Row>(async function* () {
      yield { records: [{ id: 1, updated_at: '2024-01-01' }], complete: { open: 'the export was cut off' } }
    }),
  )
  expect(report).toMatchObject({ status: 'done', completeness: { grade: 'open', reasons: ['the export was cut off'] } })
})
