import { expect, test } from '@jest/globals'
import type { Database } from '../../../src/database/database.ts'
import { byCursor, http, pipeline, readStatus, run, since, type StatusReport } from '../../../src/index.ts'
import { apiServer } from '../../support/api-server.ts'
import { testDatabase } from '../../support/database.ts'

const moment = (n: number): string => new Date(Date.UTC(2024, 0, n)).toISOString()

/** An API of six records, the newest first, three a page. Its cursor has another name while `isRenamed`. */
async function cursorApi() {
  const state = { isRenamed: false, records: 6 }
  const api = await apiServer(({ query }) => {
    const from = Number(query.get('cursor') ?? 0)
    const all = Array.from({ length: state.records }, (_, n) => ({ id: n + 1, at: moment(n + 1) }))
      .filter(({ at }) => at >= (query.get('since') ?? ''))
      .toReversed()
    const next = from + 3 < all.length ? String(from + 3) : null
    return { json: { items: all.slice(from, from + 3), [state.isRenamed ? 'next_cursor' : 'next']: next } }
  })
  return Object.assign(api, { state })
}

const shop = (origin: string, isIncremental: boolean, options: { readonly complete?: 'any' } = {}) => {
  const items = http(origin, { attempts: 1 })
    .get<{ items: { id: number; at: string }[]; next: string | null }>('/items', { since, limit: 3 })
    .pages(byCursor('cursor', 'next'))
    .records('items')
  return pipeline('shop', {
    streams: { items: (isIncremental ? items.incremental('at') : items).into('t.items', { key: 'id', ...options }) },
  })
}
const idsOf = async (database: Database): Promise<number[]> =>
  (await database.query<{ id: number }>('select id::int from t.items order by id')).map(({ id }) => id)
const problems = ({ findings }: StatusReport): string[] => findings.map(({ message }) => message)

test('status names an open reading until a full one has proof; an incremental one does not suffice', async () => {
  await using api = await cursorApi()
  await using base = await testDatabase()
  const its = shop(api.origin, true)
  const status = () => readStatus([its], { database: base.url })
  api.state.isRenamed = true
  const first = await run(its, { database: base.url })
  expect(first.streams.items.completeness?.grade).toBe('open')
  const open = await status()
  expect(open).toMatchObject({
    ok: false,
    streams: [
      { state: 'done', completeness: { grade: 'open' }, openReadings: 1, runs: [{ completeness: { grade: 'open' } }] },
    ],
    findings: [{ kind: 'open readings', isFault: true, stream: 'items' }],
  })
  expect(problems(open)[0]).toMatch(
    new RegExp(
      '^run 1 could not prove that it read everything: .*next_cursor.*\\. ' +
        'Check the paginator \\(sluice check shop\\.items\\), ' +
        'then read everything once: sluice run shop\\.items --full\\. ' +
        "In \\.into\\(\\), complete: 'required' fails such a run, and 'any' accepts it$",
    ),
  )

  // The next run reads what is newer, with proof. What the first one missed is still missing.
  Object.assign(api.state, { isRenamed: false, records: 8 })
  const second = await run(its, { database: base.url })
  expect(second.streams.items.completeness?.grade).toBe('ended')
  const later = await status()
  expect(later).toMatchObject({ ok: false, streams: [{ completeness: { grade: 'ended' }, openReadings: 1 }] })
  expect(problems(later)[0]).toMatch(
    /^run 1 could not prove .*\. Later runs read only what is newer\. .*: sluice run shop\.items --full$/,
  )
  expect(await idsOf(base.database)).toEqual([4, 5, 6, 7, 8])

  await run(its, { database: base.url, full: true })
  expect(await status()).toMatchObject({ ok: true, streams: [{ openReadings: 0 }], findings: [] })
  expect(await idsOf(base.database)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
})

test('an open reading of a stream without a cursor is settled by the next reading with proof', async () => {
  await using api = await cursorApi()
  await using base = await testDatabase()
  const its = shop(api.origin, false)
  api.state.isRenamed = true
  await run(its, { database: base.url })
  await run(its, { database: base.url })
  const report = await readStatus([its], { database: base.url })
  expect(report.streams[0]).toMatchObject({ openReadings: 2 })
  expect(problems(report)).toEqual([
    expect.stringMatching(
      /^2 readings, the last one by run 2, could not prove that they read everything: .*, then run it again\./,
    ),
  ])
  api.state.isRenamed = false
  await run(its, { database: base.url })
  expect(await readStatus([its], { database: base.url })).toMatchObject({ ok: true, findings: [] })
})

test("open readings are a notice if the table accepts them by complete: 'any'", async () => {
  await using api = await cursorApi()
  await using base = await testDatabase()
  const its = shop(api.origin, true, { complete: 'any' })
  api.state.isRenamed = true
  await run(its, { database: base.url })
  expect(await readStatus([its], { database: base.url })).toMatchObject({
    ok: true,
    streams: [{ completeness: { grade: 'open' }, openReadings: 1 }],
    findings: [{ kind: 'open readings', isFault: false, message: expect.not.stringContaining('required') }],
  })
})
