// A reading of everything in steps (`--full`): whatever interrupts it, the next run goes on with it to its end. The API
// changes the version of a record without moving its time, so only a reading of everything sees it.
import { describe, expect, jest, test } from '@jest/globals'
import { byOffset, http, pipeline, since, until } from '../../../src/index.ts'
import { changeCursor } from '../../../src/run/change-cursor.ts'
import { runPipeline } from '../../../src/run/run-pipeline.ts'
import { apiServer, type ApiServer } from '../../support/api-server.ts'
import { testDatabase } from '../../support/database.ts'

jest.setTimeout(120_000)

const DAY = 86_400_000
const now = Date.now()
const daysAgo = (days: number): string => new Date(now - days * DAY).toISOString()

interface Options {
  readonly concurrency?: number
  readonly path?: '/rows' | '/others'
  readonly complete?: 'required'
  readonly write?: 'append'
  readonly step?: '10d' | '400d'
}

const flowOf = ({ origin }: ApiServer, { concurrency = 1, path = '/rows', step = '10d', ...table }: Options = {}) =>
  pipeline('p', {
    streams: {
      rows: http(origin, { attempts: 1 })
        .get<{ rows: { id: number; at: string; version: number }[]; total: number }>(path, {
          from: since,
          to: until,
          limit: 2,
        })
        .pages(byOffset('offset', { total: 'total' }))
        .records('rows')
        .incremental('at', { startFrom: daysAgo(40), step, concurrency })
        .into('t.rows', { ...(table.write ? {} : { key: 'id' }), ...table }),
    },
  })

/** A record every three days for 40 days: two pages for each step of ten days. */
async function shop() {
  const rows = Array.from({ length: 14 }, (_, id) => ({ id, at: daysAgo(39.5 - 3 * id) }))
  const state = { version: 0, fails: (_from: number, _offset: number): boolean => false, hidden: -1 }
  const api = await apiServer(({ query }) => {
    const [from, to] = [Date.parse(query.get('from') ?? ''), Date.parse(query.get('to') ?? '')]
    const offset = Number(query.get('offset') ?? 0)
    if (state.fails(from, offset)) return { status: 500, json: {} }
    const found = rows.filter(({ at }) => Date.parse(at) >= from && Date.parse(at) < to)
    const listed = found.filter(({ id }) => id !== state.hidden).slice(offset, offset + 2)
    return { json: { rows: listed.map((row) => ({ ...row, version: state.version })), total: found.length } }
  })
  const target = await testDatabase()
  const query = <T extends object>(text: string): Promise<T[]> => target.database.query<T>(text)
  return {
    rows,
    state,
    api,
    target,
    query,
    /** The run is stopped when `slices` of them are done. */
    run: async ({ full = false, ...options }: Options & { full?: boolean } = {}, slices = Infinity) => {
      const stop = new AbortController()
      let done = 0
      const { streams } = await runPipeline(flowOf(api, options), {
        database: target.url,
        // Each page.
        batch: { rows: 1 },
        full,
        signal: stop.signal,
        onEvent: (event) => {
          if (event.type === 'slice.finished' && ++done === slices) stop.abort(new Error('stopped by the test'))
        },
      })
      return streams.rows
    },
    versions: async () =>
      (await query<{ version: number }>('select version::int from t.rows')).map(({ version }) => version),
    /** Where the ranges of requests begin, without the first ones. */
    froms: (skipped: number) => api.requests.slice(skipped).map((request) => request.query.get('from') ?? ''),
    /** Two days later, as far as the ledger knows. */
    wait: () => query(`update sluice.slices set started_at = started_at - interval '48 h'`),
    openReadings: () =>
      query(`select id from sluice.slices where status = 'done' and completeness = 'open' and covered_by is null`),
    [Symbol.asyncDispose]: async () => {
      await api[Symbol.asyncDispose]()
      await target[Symbol.asyncDispose]()
    },
  }
}
type Shop = Awaited<ReturnType<typeof shop>>

/**
 * Reads everything again, which `interrupt` ends too early. The next run is not asked to read everything: when it says
 * that it is done, each row has to have the version that the API has now.
 */
async function interrupted(test: Shop, options: Options, interrupt: () => Promise<unknown>): Promise<void> {
  if (test.state.version === 0) await test.run(options)
  test.state.version += 1
  await interrupt()
  const { version } = test.state
  expect((await test.versions()).every((stored) => stored === version)).toBe(false)
  test.state.fails = () => false
  test.state.hidden = -1
  expect(await test.run(options)).toMatchObject({ status: 'done' })
  expect(await test.versions()).toEqual(test.rows.map(() => version))
  expect(await test.query('select from sluice.full_reads where last_slice is null')).toEqual([])
}

/** Fails behind the first page of the step that begins so many days ago, until `interrupted` mends it. */
function failIn(test: Shop, days: number): void {
  const from = Date.parse(daysAgo(days))
  test.state.fails = (at, offset) => at >= from - DAY && at < from + DAY && offset > 0
}

describe.each([1, 3])('a reading of everything, %s steps at once', (concurrency) => {
  test('goes on behind the step after which it was stopped', async () => {
    await using test = await shop()
    for (const number of concurrency === 1 ? [1, 2, 3] : [2])
      await interrupted(test, { concurrency }, async () => {
        const { status } = await test.run({ full: true, concurrency }, number)
        expect(status).toBe('interrupted')
      })
  })

  test('goes on in the step that has failed, a day later too', async () => {
    await using test = await shop()
    // The step of the last ten days ends where the run is: it is the one without an end.
    for (const days of concurrency === 1 ? [40, 20] : [30])
      await interrupted(test, { concurrency }, async () => {
        failIn(test, days)
        expect(await test.run({ full: true, concurrency })).toMatchObject({ status: 'failed' })
        expect(await test.run({ concurrency })).toMatchObject({ status: 'failed' })
        await test.wait()
      })
  })

  test('begins anew with another definition, and goes on where a step has to be complete', async () => {
    await using test = await shop()
    await interrupted(test, { concurrency, path: '/others' }, async () => {
      await test.run({ full: true, concurrency }, 2)
      test.state.version += 1
    })
    await interrupted(test, { concurrency }, async () => {
      failIn(test, 20)
      await test.run({ full: true, concurrency, path: '/others' })
      test.state.version += 1
    })
    await interrupted(test, { concurrency, complete: 'required' }, async () => {
      test.state.hidden = 4
      const { status } = await test.run({ full: true, concurrency, complete: 'required' })
      expect(status).toBe('failed')
    })
  })

  test('begins anew with --full, and is given up by a cursor that is set', async () => {
    await using test = await shop()
    await interrupted(test, { concurrency }, async () => {
      await test.run({ full: true, concurrency }, 2)
      const { length } = test.api.requests
      await test.run({ full: true, concurrency }, 3)
      expect(test.froms(length)).toContain(daysAgo(40))
    })
    test.state.version += 1
    await test.run({ full: true, concurrency }, 2)
    const [cursor] = await test.query<{ value: string }>('select value from sluice.cursors')
    await changeCursor(test.target.database, { pipeline: 'p', stream: 'rows' }, cursor!)
    const { length } = test.api.requests
    expect(await test.run({ concurrency })).toMatchObject({ status: 'done', resumed: false })
    expect(test.froms(length).every((from) => from > daysAgo(10))).toBe(true)
  })
})

test('a reading of everything fills a table that was dropped, also where the first steps have no records', async () => {
  await using test = await shop()
  await test.run()
  test.rows.splice(0, 7)
  await test.query('drop table t.rows')
  expect((await test.run()).error).toContain('the table is missing')
  await test.run({ full: true }, 1)
  expect(await test.run()).toMatchObject({ status: 'done' })
  expect(await test.versions()).toHaveLength(test.rows.length)
  await test.query('drop table t.rows')
  expect((await test.run()).error).toContain('the table is missing')
})

test('a reading of everything covers what was open across its steps, and in the last one', async () => {
  await using test = await shop()
  for (const id of [20, 21]) test.rows.push({ id, at: new Date(now - 1_000).toISOString() })
  test.state.hidden = 4
  await test.run({ step: '400d' })
  test.state.hidden = -1
  await test.query(`update sluice.cursors set value = '${daysAgo(12)}'`)
  test.state.hidden = 21
  // Its steps begin at other times than those of a reading of everything.
  await test.run()
  expect(await test.openReadings()).toHaveLength(2)
  test.state.hidden = -1
  await test.run()
  expect(await test.openReadings()).toHaveLength(2)
  test.state.hidden = 1
  await test.run({ full: true }, 3)
  await test.run()
  // Only the first step of this reading of everything is not proven: the first reading is not covered.
  expect(await test.openReadings()).toHaveLength(2)
  test.state.hidden = -1
  await test.run({ full: true }, 3)
  expect(await test.openReadings()).toHaveLength(1)
  await test.run()
  expect(await test.openReadings()).toEqual([])
})

test('without a key, an interrupted reading of everything stores each record once', async () => {
  await using test = await shop()
  await test.run({ write: 'append' })
  await test.query('drop table t.rows')
  failIn(test, 20)
  expect(await test.run({ write: 'append', full: true }, 1)).toMatchObject({ status: 'interrupted' })
  expect(await test.run({ write: 'append' })).toMatchObject({ status: 'failed', resumed: true })
  test.state.fails = () => false
  expect(await test.run({ write: 'append' })).toMatchObject({ status: 'done', resumed: true })
  expect(await test.query('select id::int from t.rows order by id')).toEqual(test.rows.map(({ id }) => ({ id })))
})

test('a first reading that is interrupted goes on at its cursor with another definition', async () => {
  await using test = await shop()
  await test.run({}, 2)
  const { length } = test.api.requests
  expect(await test.run({ path: '/others' })).toMatchObject({ status: 'done' })
  expect(test.froms(length).every((from) => from > daysAgo(24))).toBe(true)
  expect(await test.versions()).toHaveLength(14)
})
