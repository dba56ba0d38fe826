import { describe, expect, test } from '@jest/globals'
import type { Database } from '../../src/database/database.ts'
import { findBackfill, findDoneElsewhere, openBackfill, readBackfill } from '../../src/ledger/backfills.ts'
import { overviewBackfills } from '../../src/ledger/read/backfill-overview.ts'
import { failSlice, skipDoneElsewhere } from '../../src/ledger/slices/transitions.ts'
import { claimWindow, windowsLeft, type Only } from '../../src/ledger/slices/windows.ts'
import { readWindows } from '../../src/ledger/read/read-windows.ts'
import { END } from '../../src/model/page.ts'
import { batch, commit, failure, openLedger, openWorker, signal, type Worker } from './support.ts'

const day = (n: number): string => new Date(Date.UTC(2024, 0, 1) + (n - 1) * 86_400_000).toISOString()
const words = { pipeline: 'forum', stream: 'posts', window: '1d', zone: 'UTC', definition: 'd1', signal }

async function planned(database: Database, worker: Worker, days: readonly number[]): Promise<string> {
  const bounds = days.map(day)
  return (await openBackfill(database, { ...words, from: bounds[0]!, to: bounds.at(-1)!, bounds, run: worker.run })).id
}
const take = (
  database: Database,
  { run, keeper }: Worker,
  backfill: string,
  more: { only?: Only; definition?: string } = {},
) => claimWindow(database, { run, keeper, backfill, definition: 'd1', signal, ...more })
const states = async (database: Database, backfill: string): Promise<string> =>
  (await readWindows(database, backfill)).map(({ status }) => status[0]).join('')

describe('the chain of windows', () => {
  test('windows with a gap, an overlap, a second start, another end or no backfill are refused', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    const id = await planned(ledger.database, worker, [1, 2, 3, 4])
    const put = (lower: number, upper: number, after: number | null, backfill: string | null = id): Promise<unknown> =>
      failure(
        ledger.database.query(
          `insert into sluice.slices
             (kind, pipeline, stream, started_by, run, definition, backfill, lower, upper, previous_upper)
           values ('backfill', 'forum', 'posts', $1, $1, 'd1', $2, $3, $4, $5)`,
          [worker.run, backfill, day(lower), day(upper), after === null ? null : day(after)],
        ),
      )
    expect(await put(5, 6, 5)).toMatchObject({ message: expect.stringContaining('no_gap_before_a_window') })
    expect(await put(3, 5, 3)).toMatchObject({ message: expect.stringContaining('one_window_begins_here') })
    expect(await put(2.5, 4, 2.5)).toMatchObject({ message: expect.stringContaining('one_window_ends_here') })
    expect(await put(2.25, 2.75, 2.25)).toMatchObject({ message: expect.stringContaining('no_gap_before_a_window') })
    expect(await put(0, 1, null)).toMatchObject({ message: expect.stringContaining('one_window_is_the_first') })
    expect(await put(4, 5, 4)).toMatchObject({ message: expect.stringContaining('reach from') })
    expect(await put(5, 4, 5)).toMatchObject({ message: expect.stringContaining('a_window_goes_forward') })
    expect(await put(5, 6, 4)).toMatchObject({
      message: expect.stringContaining('a_window_begins_where_the_last_one_ends'),
    })
    expect(await put(5, 6, null, null)).toMatchObject({
      message: expect.stringMatching(/a_window_is_whole|backfills_have_windows/),
    })
    for (const [which, what] of [
      ['2024-01-02', 'no_gap_before_a_window'],
      ['2024-01-03', 'reach from'],
    ]) {
      expect(
        await failure(
          ledger.database.query(`delete from sluice.slices where backfill = $1 and lower = $2`, [
            id,
            `${which}T00:00:00Z`,
          ]),
        ),
      ).toMatchObject({ message: expect.stringContaining(what!) })
    }
    expect((await readWindows(ledger.database, id)).length).toBe(3)
  })

  test('a plan that does not reach its end is not written', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    const made = (bounds: readonly number[]): Promise<unknown> =>
      failure(
        openBackfill(ledger.database, { ...words, from: day(1), to: day(4), bounds: bounds.map(day), run: worker.run }),
      )
    expect(await made([1, 3, 2, 4])).toMatchObject({ message: expect.stringContaining('a_window_goes_forward') })
    expect(await made([1])).toMatchObject({ message: expect.stringContaining('a_range_goes_forward') })
    expect(await overviewBackfills(ledger.database)).toEqual([])
  })

  test('a window can be split within one transaction', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    const id = await planned(ledger.database, worker, [1, 3])
    await using transaction = await ledger.database.transaction()
    await transaction.run('set constraints all deferred')
    await transaction.query('update sluice.slices set lower = $2, previous_upper = $2 where backfill = $1', [
      id,
      day(2),
    ])
    await transaction.query(
      `insert into sluice.slices (kind, pipeline, stream, started_by, run, definition, backfill, lower, upper)
       values ('backfill', 'forum', 'posts', $1, $1, 'd1', $2, $3, $4)`,
      [worker.run, id, day(1), day(2)],
    )
    await transaction.commit()
    expect((await readWindows(ledger.database, id)).map(({ lower }) => lower.toISOString())).toEqual([day(1), day(2)])
  })

  test('the same words find the backfill, however many say them at once; other words make another', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    const same = await Promise.all(Array.from({ length: 6 }, () => planned(ledger.database, worker, [1, 2, 3])))
    expect(new Set(same).size).toBe(1)
    expect(await planned(ledger.database, worker, [1, 2, 4])).not.toBe(same[0])
    expect(await findBackfill(ledger.database, { ...words, from: day(1), to: day(3) })).toMatchObject({
      id: same[0],
      window: '1d',
      windows: { total: 2, open: 2 },
    })
    expect(
      await findBackfill(ledger.database, { ...words, from: day(1), to: day(3), zone: 'Europe/Berlin' }),
    ).toBeUndefined()
  })
})

describe('claiming windows', () => {
  test('each window is claimed once, the lowest first, while its holder is alive', async () => {
    await using ledger = await openLedger()
    await using one = await ledger.worker()
    await using other = await ledger.worker()
    const id = await planned(ledger.database, one, [1, 2, 3, 4, 5, 6])
    const claimed = await Promise.all(
      Array.from({ length: 8 }, (_, n) => take(ledger.database, n % 2 === 0 ? one : other, id)),
    )
    const lowers = claimed.flatMap((window) => (window ? [window.lower] : []))
    expect(lowers.length).toBe(new Set(lowers).size)
    expect(await take(ledger.database, one, id)).toBeUndefined()
    expect((await windowsLeft(ledger.database, { run: one.run, backfill: id, signal })).heldByOthers).toBeGreaterThan(0)
    const [lowest] = claimed.filter((window) => window !== undefined).toSorted((a, b) => (a.lower < b.lower ? -1 : 1))
    expect(lowest).toMatchObject({
      slice: {
        kind: 'backfill',
        since: '2024-01-01T00:00:00Z',
        until: '2024-01-02T00:00:00Z',
        token: 1,
        position: null,
        resumed: false,
      },
      index: 0,
    })
  })

  test('a window whose holder is gone is claimed at once, with a token that shuts the holder out', async () => {
    await using ledger = await openLedger()
    await using next = await ledger.worker()
    const id = await planned(ledger.database, next, [1, 2])
    const gone = await openWorker(ledger.database)
    const before = await take(ledger.database, gone, id)
    await commit(ledger.database, before!.slice, 0, batch(3))
    const { pid } = gone.keeper.session
    gone.keeper.release(before!.slice)
    await gone[Symbol.asyncDispose]()
    expect(pid).not.toBeNull()
    const after = await take(ledger.database, next, id)
    expect(after).toMatchObject({ slice: { token: 2, seq: 1, position: { page: 3 }, resumed: true } })
    expect(await failure(commit(ledger.database, before!.slice, 1, batch(1)))).toMatchObject({
      message: expect.stringContaining('was taken by run'),
    })
    await commit(ledger.database, after!.slice, 1, batch(2, { position: END, highWaterMark: { value: day(9) } }))
    expect(await states(ledger.database, id)).toBe('d')
    expect(await ledger.database.query('select 1 from sluice.cursors')).toEqual([])
  })

  test('another definition restarts a window that was read in part, and no other', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    const id = await planned(ledger.database, worker, [1, 2, 3])
    const first = await take(ledger.database, worker, id)
    await commit(ledger.database, first!.slice, 0, batch(3))
    await failSlice(ledger.database, first!.slice, { error: 'no', signal })
    await using later = await ledger.worker()
    expect(await take(ledger.database, later, id, { definition: 'd2' })).toMatchObject({
      restart: { reason: 'definition', definition: 'd2', since: '2024-01-01T00:00:00Z', until: '2024-01-02T00:00:00Z' },
    })
    const second = await take(ledger.database, later, id, { definition: 'd2' })
    expect(second).toMatchObject({ slice: { definition: 'd2' }, index: 1 })
    expect(second).not.toHaveProperty('restart')
  })

  test('a run tries a window that failed once, and --only says which windows it takes', async () => {
    await using ledger = await openLedger()
    await using one = await ledger.worker()
    const id = await planned(ledger.database, one, [1, 2, 3, 4])
    const first = await take(ledger.database, one, id)
    await failSlice(ledger.database, first!.slice, { error: 'no \0', signal })
    expect(await states(ledger.database, id)).toBe('foo')
    expect(await take(ledger.database, one, id)).toMatchObject({ index: 1 })
    await using two = await ledger.worker()
    const again = await take(ledger.database, two, id, { only: 'failed' })
    expect(again).toMatchObject({ index: 0 })
    expect(await take(ledger.database, two, id, { only: 'failed' })).toBeUndefined()
    expect((await readWindows(ledger.database, id))[0]).toMatchObject({
      status: 'open',
      isHeld: true,
      failures: 1,
      run: two.run,
    })
    // Killed here, it would still be one that failed.
    await failSlice(ledger.database, again!.slice, { error: 'again', signal })
    await using three = await ledger.worker()
    expect(await take(ledger.database, three, id)).toMatchObject({ index: 0 })
    expect(await readBackfill(ledger.database, id)).toMatchObject({ windows: { total: 3, open: 3, failed: 0 } })
  })

  test('a window that earlier backfills have done is skipped, also if several of their windows cover it', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    const days = await planned(ledger.database, worker, [2, 3, 4, 5, 6])
    for (let n = 0; n < 3; n += 1) {
      const { slice } = (await take(ledger.database, worker, days))!
      await commit(ledger.database, slice, 0, batch(0, { position: END }))
    }
    const id = await planned(ledger.database, worker, [1, 2.5, 4.5, 6])
    expect([
      ...(await findDoneElsewhere(
        ledger.database,
        words,
        [
          { lower: day(2), upper: day(5) },
          { lower: day(1), upper: day(3) },
          { lower: day(4), upper: day(6) },
        ],
        { signal },
      )),
    ]).toEqual([0])
    expect(await skipDoneElsewhere(ledger.database, id, signal)).toBe(1)
    expect(await states(ledger.database, id)).toBe('oso')
    expect([
      await take(ledger.database, worker, id),
      await take(ledger.database, worker, id),
      await take(ledger.database, worker, id),
    ]).toMatchObject([{ index: 0 }, { index: 2 }, undefined])
    await using later = await ledger.worker()
    expect(await take(ledger.database, later, id, { only: 'all' })).toMatchObject({ index: 1 })
  })
})
