import { describe, expect, test } from '@jest/globals'
import { sqlState } from '../../../src/database/errors.ts'
import { openBackfill } from '../../../src/ledger/backfills.ts'
import { overviewBackfills } from '../../../src/ledger/read/backfill-overview.ts'
import { readReport } from '../../../src/ledger/read/read-report.ts'
import { readRun } from '../../../src/ledger/read/read-runs.ts'
import { readSyncs } from '../../../src/ledger/read/read-standing.ts'
import { readStreams } from '../../../src/ledger/read/read-streams.ts'
import { readWindows } from '../../../src/ledger/read/read-windows.ts'
import { resolveCommit } from '../../../src/ledger/slices/resolve-commit.ts'
import { failSlice, releaseSlice } from '../../../src/ledger/slices/transitions.ts'
import { claimWindow } from '../../../src/ledger/slices/windows.ts'
import { COUNTED, ENDED, MAX_REASONS, openBecause, type Completeness } from '../../../src/model/completeness.ts'
import { END } from '../../../src/model/page.ts'
import { batch, commit, failure, none, openLedger, openWorker, readSlice, restart, signal } from '../support.ts'

const open = openBecause('40 of 50 records came')
const moved = openBecause("the list moved, and the API's order is not known")

/** A batch of a slice, with a grade or without one. The last one of a slice ends it. */
const graded = (completeness: Completeness | undefined, isLast = false) =>
  batch(1, { ...(completeness && { completeness }), ...(isLast && { position: END }) })

describe('the completeness of a slice', () => {
  test.each<[string, (Completeness | undefined)[], Completeness | undefined]>([
    ['of batches without one is not known', [undefined, undefined], undefined],
    ['is that of its only batch', [COUNTED], COUNTED],
    ['is that of the last batch where the others have none', [undefined, undefined, ENDED], ENDED],
    ['is the worst of its batches', [ENDED, COUNTED], ENDED],
    ['stays open after a batch that was counted', [open, undefined, COUNTED], open],
    [
      'has the reasons of all batches, each once',
      [open, moved, open],
      { grade: 'open', reasons: [...open.reasons, ...moved.reasons] },
    ],
    ['may be open without a reason', [{ grade: 'open', reasons: [] }, ENDED], { grade: 'open', reasons: [] }],
  ])('%s', async (_, batches, expected) => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    const slice = await worker.take()
    for (const [seq, one] of batches.entries())
      await commit(ledger.database, slice, seq, graded(one, seq === batches.length - 1))
    const stored = await readSlice(ledger.database, slice.id)
    expect(stored?.status).toBe('done')
    expect(stored?.completeness).toEqual(expected)
  })

  test('keeps the first ten reasons, and any text in them', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    const slice = await worker.take()
    const reasons = Array.from({ length: MAX_REASONS + 3 }, (_, index) => `reason ${index}: it's "so" \\ \0`)
    for (const [seq, reason] of reasons.entries())
      await commit(ledger.database, slice, seq, graded(openBecause(reason)))
    expect((await readSlice(ledger.database, slice.id))?.completeness?.reasons).toEqual(
      reasons.slice(0, MAX_REASONS).map((reason) => reason.replace('\0', '\ufffd')),
    )
  })

  test('is kept when another run continues the slice', async () => {
    await using ledger = await openLedger()
    await using first = await ledger.worker()
    await using second = await ledger.worker()
    const begun = await first.take()
    await commit(ledger.database, begun, 0, graded(open))
    await releaseSlice(ledger.database, begun, { error: 'stopped', signal })
    const resumed = await second.take()
    expect(resumed.completeness).toEqual(open)
    await commit(ledger.database, resumed, 1, graded(COUNTED, true))
    expect((await readSlice(ledger.database, begun.id))?.completeness).toEqual(open)
  })

  test('is set back when the slice restarts, and may be counted then', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    const slice = await worker.take()
    await commit(ledger.database, slice, 0, graded(open))
    const again = restart(slice, 1)
    await using transaction = await ledger.database.transaction()
    await transaction.commit(again.sql)
    expect((await readSlice(ledger.database, slice.id))?.completeness).toBeUndefined()
    expect(again.slice.completeness).toBeUndefined()
    await commit(ledger.database, again.slice, 2, graded(COUNTED, true))
    expect((await readSlice(ledger.database, slice.id))?.completeness).toEqual(COUNTED)
  })

  test('is stored with its batch or not at all: a batch that was sent twice counts once', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    const slice = await worker.take()
    await commit(ledger.database, slice, 0, graded(moved))
    // The answer to the COMMIT was lost, and the batch is sent again.
    expect(sqlState(await failure(commit(ledger.database, slice, 0, graded(open))))).toBe('SL001')
    expect(await resolveCommit(ledger.database, slice, 0, { signal })).toBe('committed')
    expect((await readSlice(ledger.database, slice.id))?.completeness).toEqual(moved)
  })

  test.each([
    ['a word that is no grade', { completeness: "'sure'" }, 'completeness_is_a_grade'],
    ['reasons of a reading that is not open', { open_reasons: "'{no}'" }, 'only_open_readings_have_reasons'],
    ['an empty list of reasons', { completeness: "'open'", open_reasons: "'{}'" }, 'only_open_readings_have_reasons'],
  ])('%s, made by hand, is refused', async (_, change, constraint) => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    await worker.take()
    const set = Object.entries(change).map(([name, value]) => `${name} = ${value}`)
    expect(await failure(ledger.database.query(`update sluice.slices set ${set.join(', ')}`))).toMatchObject({
      code: '23514',
      constraint,
    })
  })
})

describe('a slice that was read to its end and could not be taken', () => {
  test('is open with its reasons, and free for the next run', async () => {
    await using ledger = await openLedger()
    await using first = await ledger.worker()
    await using second = await ledger.worker()
    const slice = await first.take()
    await commit(ledger.database, slice, 0, graded(ENDED))
    await releaseSlice(ledger.database, slice, { error: 'not complete', openReasons: open.reasons, signal })
    expect(await readSlice(ledger.database, slice.id)).toMatchObject({ status: 'open', completeness: open })
    expect((await second.take()).completeness).toEqual(open)
  })

  test('keeps its grade when it is left for another reason', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    const slice = await worker.take()
    await commit(ledger.database, slice, 0, graded(moved))
    await releaseSlice(ledger.database, slice, { error: 'stopped', signal })
    expect((await readSlice(ledger.database, slice.id))?.completeness).toEqual(moved)
  })
})

describe('a process of the version before, which passes no completeness,', () => {
  const counts = JSON.stringify({ ...none, fetched: 1, inserted: 1 })
  const old = (position: object, rest = ''): string =>
    `select sluice.advance($1, $2, $3, '${JSON.stringify(position)}', '${counts}'${rest})`

  test.each([
    ['nine arguments', ', null, null, null, null'],
    ['ten arguments', ', null, null, null, null, null'],
    ['five arguments', ''],
  ])('still commits with %s, and what it has read to the end is not known', async (_, rest) => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    const { id, token } = await worker.take()
    await ledger.database.query(old({ page: 2 }, rest), [id, token, 0])
    await ledger.database.query(old(END, rest), [id, token, 1])
    const stored = await readSlice(ledger.database, id)
    expect(stored).toMatchObject({ status: 'done', batches: 2, counts: { fetched: 2 } })
    expect(stored?.completeness).toBeUndefined()
  })

  test('leaves a slice that is not counted, however well the rest is read', async () => {
    await using ledger = await openLedger()
    await using first = await ledger.worker()
    await using second = await ledger.worker()
    const { id, token, ...slice } = await first.take()
    await ledger.database.query(old({ page: 2 }), [id, token, 0])
    await releaseSlice(ledger.database, { id, token, ...slice }, { signal })
    await commit(ledger.database, await second.take(), 1, graded(COUNTED, true))
    expect((await readSlice(ledger.database, id))?.completeness).toEqual(ENDED)
  })

  test('keeps what is known to be open', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    const slice = await worker.take()
    await commit(ledger.database, slice, 0, graded(open))
    await ledger.database.query(old(END), [slice.id, slice.token, 1])
    expect((await readSlice(ledger.database, slice.id))?.completeness).toEqual(open)
  })
})

describe('a run', () => {
  test('has the worst completeness of its slices, wherever it is listed', async () => {
    await using ledger = await openLedger()
    const { database } = ledger
    await using worker = await ledger.worker()
    for (const [stream, completeness] of [
      ['posts', ENDED],
      ['topics', open],
      ['users', COUNTED],
    ] as const)
      await commit(database, await worker.take({ stream }), 0, graded(completeness, true))
    expect((await readRun(database, worker.run))?.completeness).toEqual(open)
    expect((await readReport(database, worker.run)).map(({ stream, completeness }) => [stream, completeness])).toEqual([
      ['posts', ENDED],
      ['topics', open],
      ['users', COUNTED],
    ])
    expect((await readStreams(database)).map(({ stream, runs }) => [stream, runs[0]?.completeness])).toEqual([
      ['posts', ENDED],
      ['topics', open],
      ['users', COUNTED],
    ])
    const syncs = await readSyncs(database, [['forum', 'topics']])
    expect(syncs.get('forum.topics')?.map(({ completeness }) => completeness)).toEqual([open])
  })

  test('has none before a slice is read to its end, unless something is open', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    const slice = await worker.take()
    const read = async () => (await readRun(ledger.database, worker.run))?.completeness
    await commit(ledger.database, slice, 0, graded(ENDED))
    expect(await read()).toBeUndefined()
    await commit(ledger.database, slice, 1, graded(open))
    expect(await read()).toEqual(open)
  })
})

const day = (n: number): string => `2024-01-0${n}T00:00:00Z`
const DAYS = [1, 2, 3, 4].map(day)
const plan = { pipeline: 'forum', stream: 'posts', window: '1d', zone: 'UTC', definition: 'd1', bounds: DAYS, signal }

describe('a backfill', () => {
  test('shows the grade of each window, and the worst of all', async () => {
    await using ledger = await openLedger()
    const { database } = ledger
    await using worker = await ledger.worker()
    const { id } = await openBackfill(database, { ...plan, from: day(1), to: day(4), run: worker.run })
    const take = async () => (await claimWindow(database, { ...worker, backfill: id, definition: 'd1', signal }))!.slice
    const overall = async () => (await overviewBackfills(database))[0]?.completeness
    await commit(database, await take(), 0, graded(COUNTED, true))
    expect(await overall()).toEqual(COUNTED)
    await commit(database, await take(), 0, graded(ENDED, true))
    expect(await overall()).toEqual(ENDED)
    await failSlice(database, await take(), { error: 'not complete', openReasons: open.reasons, signal })
    expect(await overall()).toEqual(open)
    expect((await readWindows(database, id)).map(({ status, completeness }) => [status, completeness])).toEqual([
      ['done', COUNTED],
      ['done', ENDED],
      ['failed', open],
    ])
  })

  test('is not open because of a window that another backfill has done since', async () => {
    await using ledger = await openLedger()
    const { database } = ledger
    await using worker = await ledger.worker()
    const { id } = await openBackfill(database, { ...plan, from: day(1), to: day(4), run: worker.run })
    const claimed = await claimWindow(database, { ...worker, backfill: id, definition: 'd1', signal })
    await failSlice(database, claimed!.slice, { error: 'not complete', openReasons: open.reasons, signal })
    await database.query(`update sluice.slices set status = 'skipped' where id = $1`, [claimed!.slice.id])
    expect((await overviewBackfills(database))[0]?.completeness).toBeUndefined()
    expect((await readWindows(database, id))[0]).toMatchObject({ status: 'skipped', completeness: undefined })
  })

  test('is not known where a window of an older version is not', async () => {
    await using ledger = await openLedger()
    const { database } = ledger
    await using worker = await ledger.worker()
    const { id } = await openBackfill(database, { ...plan, from: day(1), to: day(4), run: worker.run })
    const take = async () => (await claimWindow(database, { ...worker, backfill: id, definition: 'd1', signal }))!.slice
    await commit(database, await take(), 0, graded(undefined, true))
    await commit(database, await take(), 0, graded(COUNTED, true))
    expect((await overviewBackfills(database))[0]?.completeness).toBeUndefined()
    await commit(database, await take(), 0, graded(open, true))
    expect((await overviewBackfills(database))[0]?.completeness).toEqual(open)
  })

  test('begins a window that has no batch without the grade of the reading before', async () => {
    await using ledger = await openLedger()
    const { database } = ledger
    await using first = await openWorker(database)
    const { id } = await openBackfill(database, { ...plan, from: day(1), to: day(4), run: first.run })
    const claimed = await claimWindow(database, { ...first, backfill: id, definition: 'd1', signal })
    await failSlice(database, claimed!.slice, { error: 'not complete', openReasons: open.reasons, signal })
    await using second = await openWorker(database)
    const again = await claimWindow(database, { ...second, backfill: id, only: 'failed', definition: 'd1', signal })
    expect(again?.slice.id).toBe(claimed?.slice.id)
    expect(again?.slice.completeness).toBeUndefined()
    expect((await readSlice(database, again!.slice.id))?.completeness).toBeUndefined()
  })
})
