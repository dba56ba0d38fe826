import { describe, expect, test } from '@jest/globals'
import { sqlState } from '../../../src/database/errors.ts'
import { advanceSql } from '../../../src/ledger/slices/transitions.ts'
import { ledgerError } from '../../../src/ledger/errors.ts'
import { readReport } from '../../../src/ledger/read/read-report.ts'
import { LoadError } from '../../../src/model/errors.ts'
import { END } from '../../../src/model/page.ts'
import { batch, commit, failure, none, openLedger, openWorker, signal, readSlice } from '../support.ts'
import { releaseSlice } from '../../../src/ledger/slices/transitions.ts'

describe('counts', () => {
  test('are added up, batch by batch', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    const slice = await worker.take()
    const counts = {
      fetched: 22,
      expanded: 5,
      filtered: 3,
      duplicate: 4,
      deleted: 2,
      rejected: 0,
      parents: 7,
      inserted: 8,
      updated: 9,
      unchanged: 1,
    }
    await commit(ledger.database, slice, 0, batch(0, { counts }))
    await commit(ledger.database, slice, 1, batch(0, { counts, position: END }))
    const twice = Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, 2 * count]))
    expect(await readSlice(ledger.database, slice.id)).toMatchObject({ status: 'done', batches: 2, counts: twice })
  })

  test.each(['fetched', 'expanded', 'filtered', 'duplicate', 'deleted', 'inserted', 'updated', 'unchanged'] as const)(
    'a batch whose %s is off by one is refused, and no row is blamed for it',
    async (name) => {
      await using ledger = await openLedger()
      await using worker = await ledger.worker()
      const slice = await worker.take()
      const counts = { ...none, fetched: 3, inserted: 3 }
      const error = await failure(
        commit(ledger.database, slice, 0, batch(0, { counts: { ...counts, [name]: counts[name] + 1 } })),
      )
      expect(sqlState(error)).toBe('SL003')
      expect(ledgerError(error, 'forum.posts')).toBeInstanceOf(LoadError)
    },
  )

  test('parents are outside the equation', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    const slice = await worker.take()
    await commit(ledger.database, slice, 0, batch(0, { counts: { ...none, parents: 12 } }))
    expect((await readSlice(ledger.database, slice.id))?.counts.parents).toBe(12)
  })

  test('a process of an older version, which knows no deleted records, commits', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    const slice = await worker.take()
    const { deleted: _, ...counts } = { ...none, fetched: 2, inserted: 2 }
    await commit(ledger.database, slice, 0, batch(0, { counts: counts as typeof none }))
    expect((await readSlice(ledger.database, slice.id))?.counts).toEqual({ ...none, fetched: 2, inserted: 2 })
  })

  test('no count is ever taken back', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    const slice = await worker.take()
    await commit(ledger.database, slice, 0, batch(5))
    expect(
      sqlState(
        await failure(commit(ledger.database, slice, 1, batch(0, { counts: { ...none, fetched: -1, inserted: -1 } }))),
      ),
    ).toBe('SL003')
  })

  test.each([
    ['unbalanced counts', 'fetched = fetched + 1', 'counts_balance'],
    ['a negative count', 'fetched = -1, inserted = -1', 'counts_balance'],
    ['done without the end', `status = 'done', finished_at = now(), lease_until = null`, 'done_is_the_end'],
    ['the end without done', `position = '{"end": true}'`, 'done_is_the_end'],
    ['open, yet finished', 'finished_at = now()', 'open_or_finished'],
    ['closed, yet leased', `status = 'closed', finished_at = now()`, 'only_open_slices_are_leased'],
    ['a negative token', 'token = -1', 'slices_token_check'],
    ['a negative batch number', 'seq = -1', 'slices_seq_check'],
    ['half of a session', 'lease_pid = null', 'session_has_pid_and_start'],
    ['the start as JSON', `position = 'null'`, 'position_is_null_or_value'],
    ['hashes of no value', `boundary = '{}'`, 'boundary_belongs_to_high_water_mark'],
    ['a swap before the end', 'swap_inserted = 1, swap_updated = 0, swap_deleted = 0', 'only_the_end_swaps'],
  ])('%s, made by hand, is refused', async (_, change, constraint) => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    await worker.take()
    expect(await failure(ledger.database.query(`update sluice.slices set ${change}`))).toMatchObject({
      code: '23514',
      constraint,
    })
  })

  test('the end is recognised however its JSON is spaced, and nothing else is', async () => {
    await using ledger = await openLedger()
    const [row] = await ledger.database.query(
      `select sluice.is_end('{"end": true}') as a, sluice.is_end(' { "end" :true}') as b,
              sluice.is_end('{"end": false}') as c, sluice.is_end('{"end": true, "page": 2}') as d,
              sluice.is_end(null) as e`,
    )
    expect(row).toEqual({ a: true, b: true, c: false, d: false, e: false })
  })

  test('a batch without a position is not sent at all', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    const slice = await worker.take()
    expect(() => advanceSql(slice, 0, batch(1, { position: null }))).toThrow(/has no position/)
  })

  test('what a swap did is a second line, beside the counts', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    const slice = await worker.take()
    await commit(ledger.database, slice, 0, batch(3, { position: END, swap: { inserted: 1, updated: 0, deleted: 2 } }))
    expect(await readSlice(ledger.database, slice.id)).toMatchObject({
      swap: { inserted: 1, updated: 0, deleted: 2 },
      counts: { inserted: 3 },
    })
  })

  test("a run's report holds what it has committed itself, beside the whole reading", async () => {
    await using ledger = await openLedger()
    await using first = await openWorker(ledger.database)
    await using second = await openWorker(ledger.database)
    const slice = await first.take()
    await commit(ledger.database, slice, 0, batch(5))
    await releaseSlice(ledger.database, slice, { error: 'stopped', signal })
    await commit(ledger.database, await second.take(), 1, batch(2, { position: END }))
    expect(await readReport(ledger.database, second.run)).toMatchObject([
      {
        stream: 'posts',
        isDone: true,
        resumed: true,
        slices: 1,
        batches: 1,
        counts: { fetched: 2, inserted: 2 },
        total: { fetched: 7, inserted: 7 },
      },
    ])
    expect(await readReport(ledger.database, first.run)).toEqual([])
  })

  test('a position is kept to the letter: order of names, long texts, NUL', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    const slice = await worker.take()
    const position = { sort: { updated: 1, id: 1 }, b: 'x\0y\ud800', a: "it's \\ 1.0" }
    await commit(ledger.database, slice, 0, batch(1, { position }))
    const read = (await readSlice(ledger.database, slice.id))?.position
    expect(JSON.stringify(read)).toBe(JSON.stringify(position))
  })
})
