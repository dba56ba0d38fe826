// A backfill of a mirror: a window that was read whole deletes the rows of its range that it did not bring.
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import { http, onePage, pipeline, since, source, until, type Flow, type OwnCompleteness } from '../../src/index.ts'
import { backfillPipeline } from '../../src/run/backfill/backfill-pipeline.ts'
import type { BackfillOptions } from '../../src/run/options.ts'
import { moment, rows, type Row } from '../backfill/source.ts'
import { mirrorDatabase, type MirrorDatabase } from '../mirror/listed.ts'
import { apiServer } from '../support/api-server.ts'

jest.setTimeout(60_000)

let target: MirrorDatabase
beforeAll(async () => {
  target = await mirrorDatabase()
})
afterAll(async () => target[Symbol.asyncDispose]())

/** A record an hour from 2024 on, for three days and an hour, in pages of 10. */
function hourly() {
  const state = {
    list: rows(73),
    complete: 'ended' as OwnCompleteness,
    /** Called before the first page of a range. */
    during: async (_since: string | undefined): Promise<void> => {},
    /** Pages after which the API fails. */
    breaksAfter: Infinity,
    ranges: [] as (string | undefined)[],
  }
  const items = source<Row>(async function* ({ since, until, position = 0 }) {
    const [from, to] = [since, until]
    state.ranges.push(`${from} ${to}`)
    await state.during(from)
    const found = state.list.filter(
      ({ updated }) =>
        (from === undefined || Date.parse(updated) >= Date.parse(from)) &&
        (to === undefined || Date.parse(updated) < Date.parse(to)),
    )
    for (let at = Number(position), pages = 0; at < found.length || at === 0; at += 10, pages += 1) {
      if (pages >= state.breaksAfter) throw new Error('broken off')
      const isLast = at + 10 >= found.length
      yield { records: found.slice(at, at + 10), position: at + 10, ...(isLast && { complete: state.complete }) }
    }
  })
  return Object.assign(state, { items: items.incremental('updated', { lookback: '30m' }) })
}

const into = (api: ReturnType<typeof hourly>, table: `t.${string}`): Flow<unknown> =>
  api.items.into(table, { key: 'id', mirror: true })

/** Reads three days again, one after the other. Each call is a backfill of its own. */
async function backfill(flow: Flow<unknown>, name: string, more: Partial<BackfillOptions> = {}) {
  const report = await backfillPipeline(pipeline(name, { streams: { items: flow } }), {
    from: '2024-01-01',
    to: '2024-01-04',
    concurrency: 1,
    only: 'all',
    batch: { rows: 1 },
    database: target.url,
    ...more,
  })
  return report.streams.items
}

const without = (...ids: number[]): Row[] => rows(73).filter(({ id }) => !ids.includes(id))
const missing = async (table: string): Promise<number[]> => {
  const there = new Set(await target.idsOf(table))
  return rows(73).flatMap(({ id }) => (there.has(id) ? [] : [id]))
}

test('each window deletes the rows of its range that it did not bring, up to its border', async () => {
  const api = hourly()
  const flow = into(api, 't.whole')
  await target.sync(flow, 'whole')
  // The first one of the second day, and the last one of all, which lies behind the range.
  api.list = without(5, 24, 72)
  const report = await backfill(flow, 'whole', { concurrency: 3 })
  expect(report).toMatchObject({ status: 'done', mirroredRows: 2, deletedRows: 'deleted', warnings: [] })
  expect(await missing('t.whole')).toEqual([5, 24])
  expect(
    await target.query(`select count(*)::int as kept from sluice.deleted_rows where table_name = 't.whole'`),
  ).toEqual([{ kept: 2 }])
  for (const table of ['mirrors', 'mirror_keys']) expect(await target.query(`select from sluice.${table}`)).toEqual([])
  await target.query(`select sluice.undelete('whole')`)
  expect(await missing('t.whole')).toEqual([])
})

test('a record that has left its window keeps its row, and so does a row that was written since', async () => {
  const api = hourly()
  const flow = into(api, 't.moved')
  await target.sync(flow, 'moved')
  // 7 has changed since the last run. Of 9 and 10 somebody writes the rows while the window is read, and a new one.
  api.list = [...without(7, 8, 9, 10), { id: 7, name: 'moved', updated: moment(80) }]
  api.during = async (since) => {
    if (since !== undefined && Date.parse(since) === Date.parse(moment(0)))
      await target.query(`
        update t.moved set name = 'by hand' where id in (9, 10);
        insert into t.moved (id, updated) values (900, '${moment(9)}')`)
  }
  api.ranges = []
  const to = '2024-01-02'
  expect(await backfill(flow, 'moved', { to })).toMatchObject({ status: 'done', mirroredRows: 1 })
  expect(await missing('t.moved')).toEqual([8])
  expect(await target.idsOf('t.moved', 'id = 900')).toEqual([900])
  expect(api.ranges.map((range) => range?.replace(/.000Z/g, 'Z'))).toEqual([
    '2024-01-01T00:00:00Z 2024-01-02T00:00:00Z',
    '2024-01-03T23:30:00Z undefined',
  ])
  // Now they are gone, too. The row of 10 moves to another window meanwhile.
  api.list = without(7, 8, 9, 10)
  api.during = async () => void (await target.query(`update t.moved set updated = '${moment(30)}' where id = 10`))
  expect(await backfill(flow, 'moved', { to, window: '2d' })).toMatchObject({ mirroredRows: 3 })
  expect(await missing('t.moved')).toEqual([7, 8, 9])
  expect(await target.idsOf('t.moved', 'id = 900')).toEqual([])
})

test('a window that would delete too much fails and deletes nothing, until it is allowed', async () => {
  const api = hourly()
  const flow = into(api, 't.most')
  await target.sync(flow, 'most')
  for (const list of [[], rows(12)]) {
    api.list = list
    const refused = await backfill(flow, 'most', { to: '2024-01-02' })
    expect(refused).toMatchObject({ status: 'failed' })
    expect(refused.error).toContain(
      `did not bring ${24 - list.length} of the 24 rows that t.most had from 2024-01-01T00:00:00Z to ` +
        '2024-01-02T00:00:00Z when it began, such as id = ',
    )
    expect(refused.error).toContain(
      'The mirror may delete at most 10 of them, so all of them stay. If their records are gone, ' +
        `repeat the backfill once with --most-deletes ${24 - list.length}`,
    )
    expect(await missing('t.most')).toEqual([])
  }
  expect(await backfill(flow, 'most', { to: '2024-01-02', mostDeletes: '50%' })).toMatchObject({ mirroredRows: 12 })
  expect(await missing('t.most')).toHaveLength(12)
})

test('an interrupted window goes on with what it knows, and one that is open deletes nothing', async () => {
  const api = hourly()
  const flow = into(api, 't.broken')
  await target.sync(flow, 'broken')
  api.list = without(3)
  api.breaksAfter = 1
  expect(await backfill(flow, 'broken', { to: '2024-01-02' })).toMatchObject({ status: 'failed' })
  expect(await missing('t.broken')).toEqual([])
  api.breaksAfter = Infinity
  api.complete = { open: 'cut off' }
  const open = await backfill(flow, 'broken', { to: '2024-01-03' })
  expect(open.warnings.join()).not.toContain('were deleted')
  expect(await missing('t.broken')).toEqual([])
  api.complete = 'ended'
  expect(await backfill(flow, 'broken', { to: '2024-01-02' })).toMatchObject({ status: 'done', mirroredRows: 1 })
  expect(await missing('t.broken')).toEqual([3])
})

test('a window deletes nothing if the rows of its range, or records that have left it, are not known', async () => {
  const api = hourly()
  const flow = into(api, 't.kept')
  api.list = rows(60)
  await target.sync(flow, 'kept')
  api.list = rows(60).slice(1)
  const early = await backfill(flow, 'kept')
  expect(early.warnings.join()).toContain(
    't.kept: mirror deleted nothing: the stream is read up to 2024-01-03T11:00:00.000Z, so a record of this window ' +
      'that has changed later may not be known. First: sluice run kept.items',
  )
  // The windows before that are known.
  expect(early).toMatchObject({ mirroredRows: 1 })

  api.list = rows(73)
  const shifted = api.items
    .map((row) => ({ ...row, updated: new Date(Date.parse(row.updated) - 3_600_000).toISOString() }))
    .into('t.shifted', { key: 'id', mirror: true })
  await target.sync(shifted, 'shifted')
  const other = await backfill(shifted, 'shifted', { to: '2024-01-02' })
  expect(other.warnings.join()).toContain('mirror deleted nothing: a stage gives updated other values')
  expect(await missing('t.shifted')).toEqual([])

  const dropped = api.items.omit('updated').into('t.dropped', { key: 'id', mirror: true })
  await target.sync(dropped, 'dropped')
  api.list = rows(73).slice(1)
  const unknown = await backfill(dropped, 'dropped', { to: '2024-01-02' })
  expect(unknown.warnings.join()).toContain(
    "mirror deleted nothing: no column holds the cursor's value 'updated' exactly",
  )
})

test('a page that a rule leaves out behind the cursor may have the records that left the window', async () => {
  const state = { list: rows(73), isLeftOut: false }
  await using server = await apiServer(({ query }) => {
    const [from, to] = [query.get('since') ?? '', query.get('until')]
    if (to === null && state.isLeftOut) return { status: 403, json: {} }
    return { json: state.list.filter(({ updated }) => updated >= from && (to === null || updated < to)) }
  })
  const items = http(server.origin, { responseRules: [{ status: 403, action: 'skip', expected: true }] })
    .get<Row[]>('/rows', { since, until })
    .pages(onePage())
    .records()
    .incremental('updated', { lookback: '30m' })
  const flow = items.into('t.skipped', { key: 'id', mirror: true })
  await target.sync(flow, 'skipped')
  state.list = [...without(7), { id: 7, name: 'moved', updated: moment(80) }]
  state.isLeftOut = true
  const report = await backfill(flow, 'skipped', { to: '2024-01-02' })
  expect(report.warnings.join()).toContain('mirror deleted nothing: a rule left out the response of GET')
  expect(await missing('t.skipped')).toEqual([])
})
