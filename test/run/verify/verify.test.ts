import { describe, expect, jest, test } from '@jest/globals'
import { verificationText } from '../../../src/cli/output/verification-text.ts'
import { http, onePage, pipeline, verify } from '../../../src/index.ts'
import { backfillPipeline } from '../../../src/run/backfill/backfill-pipeline.ts'
import { runPipeline } from '../../../src/run/run-pipeline.ts'
import { verifyPipeline } from '../../../src/run/verify/verify-pipeline.ts'
import { answering, merging, moment, rows, source, type Row } from '../../backfill/source.ts'
import { apiServer, type ApiAnswer } from '../../support/api-server.ts'
import { testDatabase, type TestDatabase } from '../../support/database.ts'

jest.setTimeout(60_000)

const ledger = async ({ database }: TestDatabase): Promise<unknown> =>
  database.query(`select (select jsonb_agg(c) from sluice.cursors as c) as cursors,
    (select count(*) from sluice.slices) as slices, (select count(*) from sluice.runs) as runs`)

/** Pages of records in the order of their changes. Where the next page begins does not depend on those before it. */
function keyset(data: readonly Row[], query: URLSearchParams): ApiAnswer {
  const [from, after] = [query.get('since') ?? '', query.get('after') ?? '']
  const fitting = data
    .filter(({ updated }) => updated >= from && updated > after)
    .toSorted((a, b) => a.updated.localeCompare(b.updated))
  return { json: { items: fitting.slice(0, 10), next: fitting.length > 10 ? fitting[9]!.updated : null } }
}

describe('a whole stream', () => {
  test('rows that are missing, stale and extra are found, and a repair asks for less than 5 % again', async () => {
    await using api = await apiServer(answering(() => rows(300), 5))
    await using test = await testDatabase()
    const flow = merging(api.origin)
    await runPipeline(flow, { database: test.url })
    await test.database.query('delete from t.rows where id in (17, 18, 200)')
    await test.database.query(`update t.rows set name = 'altered' where id in (19, 201)`)
    await test.database.query(`insert into t.rows select 10000 + id, name, updated from t.rows where id in (3, 299)`)
    const before = await ledger(test)
    const [found] = await verifyPipeline(flow, { database: test.url })
    expect(found).toMatchObject({
      status: 'different',
      completeness: { grade: 'ended' },
      counts: { read: 300, equal: 295, missing: 3, stale: 2, newer: 0, extra: 2, changedMeanwhile: 0, notReadYet: 0 },
      samples: [
        { kind: 'missing', key: { id: 17 } },
        { kind: 'missing', key: { id: 18 } },
        { kind: 'missing', key: { id: 200 } },
        { kind: 'stale', key: { id: 19 }, columns: [{ column: 'name', before: 'altered', after: 'row 19' }] },
        { kind: 'stale', key: { id: 201 }, columns: [{ column: 'name', before: 'altered', after: 'row 201' }] },
        { kind: 'extra', key: { id: 10003 } },
        { kind: 'extra', key: { id: 10299 } },
      ],
    })
    expect(await ledger(test)).toEqual(before)
    const asked = api.requests.length
    const [repaired] = await verifyPipeline(flow, { database: test.url, repair: true })
    const again = api.requests.length - asked - repaired!.requests
    expect(repaired).toMatchObject({
      status: 'different',
      repair: {
        how: 'windows',
        status: 'done',
        missing: 3,
        stale: 2,
        left: 0,
        inserted: 3,
        updated: 2,
        requests: again,
      },
    })
    expect(again).toBeLessThan(0.05 * 60)
    // The same ranges once more: those of the first repair are done, and would not be read again.
    await test.database.query('delete from t.rows where id in (17, 18, 19) or id >= 10000')
    expect(await verifyPipeline(flow, { database: test.url, repair: true })).toMatchObject([
      { status: 'equal', counts: { missing: 3, extra: 0 }, repair: { missing: 3, left: 0 } },
    ])
  })

  test('of a mirror, only a full run deletes extra rows, and the output says so', async () => {
    await using api = await apiServer(answering(() => rows(300), 5))
    await using test = await testDatabase()
    const flow = pipeline('mirrored', {
      streams: {
        ranges: source(api.origin).incremental('updated').into('t.ranges', { key: 'id', mirror: true }),
        whole: source(api.origin, {}).into('t.whole', { key: 'id', mirror: true }),
      },
    })
    await runPipeline(flow, { database: test.url })
    for (const name of ['ranges', 'whole']) await test.database.query(`update t.${name} set id = 10017 where id = 17`)
    const [ranges, whole] = await verifyPipeline(flow, { database: test.url, repair: true })
    expect(ranges).toMatchObject({
      status: 'different',
      counts: { missing: 1, extra: 1 },
      repair: { how: 'windows', status: 'done', missing: 1, extra: 0, left: 0 },
    })
    expect(verificationText(ranges!)).toContain('a full run deletes 1 extra row: the table is a mirror')
    expect(whole).toMatchObject({
      status: 'equal',
      counts: { missing: 1, extra: 1 },
      repair: { how: 'full', status: 'done', missing: 1, extra: 1, left: 0 },
    })
    expect(verificationText(whole!)).toContain('1 extra row deleted by the mirror')
  })

  test('beside live runs nothing is a fault that they have written, or that the next one reads', async () => {
    const data = rows(60)
    let hasChanged = false
    await using test = await testDatabase()
    await using api = await apiServer(async ({ query }) => {
      const answer = keyset(data, query)
      // While the last page is on its way, records change at the source, and a run stores them.
      if (watched && !hasChanged && query.get('after') === moment(49)) {
        hasChanged = true
        data[5] = { id: 5, name: 'changed', updated: moment(100) }
        data.push({ id: 60, name: 'new', updated: moment(102) })
        await runPipeline(flow, { database: test.url })
        // Later than the run.
        data[58] = { id: 58, name: 'later', updated: moment(103) }
        data.push({ id: 61, name: 'newest', updated: moment(104) })
      }
      return answer
    })
    let watched = false
    const flow = merging(api.origin)
    await runPipeline(flow, { database: test.url })
    watched = true
    expect(await verifyPipeline(flow, { database: test.url })).toMatchObject([
      {
        status: 'equal',
        counts: { read: 60, equal: 59, missing: 0, stale: 0, newer: 0, extra: 0, changedMeanwhile: 2 },
      },
    ])
    expect(hasChanged).toBe(true)
    // Without a run since, both are found, and excused.
    expect(await verifyPipeline(flow, { database: test.url })).toMatchObject([
      { status: 'equal', counts: { read: 62, equal: 60, notReadYet: 2, changedMeanwhile: 0 } },
    ])
  })

  test('a reading that is open claims no extra rows, and still finds the others', async () => {
    await using api = await apiServer(async (request) => ({
      ...(await answering(() => rows(3))(request)),
      headers: { 'x-total-count': '5' },
    }))
    await using test = await testDatabase()
    const flow = merging(api.origin)
    await runPipeline(flow, { database: test.url })
    expect(await verify(flow, { database: test.url })).toMatchObject({ ok: false, streams: [{ status: 'unproven' }] })
    await test.database.query('update t.rows set id = 7 where id = 1')
    expect(await verifyPipeline(flow, { database: test.url })).toMatchObject([
      {
        status: 'different',
        completeness: { grade: 'open' },
        extraUnknown: expect.stringMatching(/^it is not proven that the source was read completely: .*5/),
        counts: { missing: 1, extra: 0 },
      },
    ])
  })
})

describe('a range', () => {
  test('is compared window by window, and only windows that differ are read again', async () => {
    const data = rows(24 * 6)
    await using api = await apiServer(answering(() => data.toSorted((a, b) => a.updated.localeCompare(b.updated)), 24))
    await using test = await testDatabase()
    const flow = merging(api.origin)
    await runPipeline(flow, { database: test.url })
    await test.database.query('delete from t.rows where id in (30, 31)')
    await test.database.query(`update t.rows set name = null where id = 80`)
    await test.database.query(`insert into t.rows select 10000 + id, name, updated from t.rows where id = 60`)
    // It is not in its window any more, because the source has changed it: the next run reads it.
    data[61] = { id: 61, name: 'moved on', updated: moment(200) }
    const range = { from: '2024-01-01', to: '2024-01-06' }
    const [found] = await verifyPipeline(flow, { database: test.url, ...range })
    expect(found).toMatchObject({
      status: 'different',
      counts: { read: 119, equal: 116, missing: 2, stale: 1, extra: 1, notReadYet: 0 },
      windows: [
        { from: '2024-01-01T00:00:00Z', to: '2024-01-02T00:00:00Z', counts: { equal: 24, missing: 0 } },
        { counts: { equal: 22, missing: 2 }, samples: [{ key: { id: 30 } }, { key: { id: 31 } }] },
        { counts: { equal: 23, extra: 1 }, samples: [{ kind: 'extra', key: { id: 10060 } }] },
        {
          counts: { equal: 23, stale: 1 },
          samples: [{ columns: [{ column: 'name', before: null, after: 'row 80' }] }],
        },
        { counts: { equal: 24 } },
      ],
    })
    const asked = api.requests.length
    const [repaired] = await verifyPipeline(flow, { database: test.url, ...range, repair: true })
    expect(repaired).toMatchObject({
      repair: {
        how: 'windows',
        missing: 2,
        stale: 1,
        left: 0,
        requests: api.requests.length - asked - repaired!.requests,
      },
    })
    for (const { from, to } of repaired!.repair!.ranges!) {
      expect(Date.parse(to) - Date.parse(from)).toBeLessThanOrEqual(86_400_000)
      expect(['2024-01-02', '2024-01-04'].some((day) => from.startsWith(day))).toBe(true)
    }
    expect(await verifyPipeline(flow, { database: test.url, ...range })).toMatchObject([
      { status: 'different', counts: { missing: 0, stale: 0, extra: 1 } },
    ])
    // A backfill of these words reads all of them: those of the repair were others.
    const filled = await backfillPipeline(flow, { database: test.url, ...range, window: '1d' })
    expect(filled.streams.rows.backfill?.windows).toMatchObject({ total: 5, done: 5 })
  })

  test('needs a stream that can be read in windows, and a start', async () => {
    await using api = await apiServer(answering(() => rows(3)))
    await using test = await testDatabase()
    const flow = pipeline('whole', {
      streams: {
        rows: http(api.origin).get('/rows').pages(onePage()).records('items').into('t.rows', { key: 'id' }),
        keyless: http(api.origin).get('/rows').pages(onePage()).records('items').into('t.keyless', { write: 'append' }),
      },
    })
    const options = { database: test.url }
    await expect(verifyPipeline(flow, { ...options, from: '2024-01-01' })).rejects.toThrow(
      /whole\.rows: it cannot be read in windows: .*\. whole\.keyless: its table has no key/,
    )
    await expect(verifyPipeline(flow, { ...options, to: '2024-01-01' })).rejects.toThrow('to needs from')
    expect(await verifyPipeline(flow, options)).toMatchObject([
      { stream: 'rows', status: 'different', counts: { read: 3, missing: 3 } },
      { stream: 'keyless', status: 'skipped', error: expect.stringContaining('Give it one') },
    ])
  })
})
