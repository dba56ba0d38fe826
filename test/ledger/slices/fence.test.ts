import { describe, expect, test } from '@jest/globals'
import { isTransient, sqlState } from '../../../src/database/errors.ts'
import { advanceSql } from '../../../src/ledger/slices/transitions.ts'
import { releaseSlice } from '../../../src/ledger/slices/transitions.ts'
import { LeaseKeeper } from '../../../src/ledger/lease/lease-keeper.ts'
import { checkHeld } from '../../../src/ledger/slices/transitions.ts'
import { SliceLostError } from '../../../src/model/errors.ts'
import { END } from '../../../src/model/page.ts'
import { sessionMark, type Slice } from '../../../src/model/slice.ts'
import { batch, commit, failure, openLedger, signal, stored, readSlice } from '../support.ts'

const expire = (id: string): string =>
  `update sluice.slices
      set lease_until = clock_timestamp() - interval '1 s', lease_pid = null, lease_started = null
    where id = ${id}`

describe('the fence', () => {
  test('rows, position and counts commit together', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    const slice = await worker.take()
    await commit(ledger.database, slice, 0, batch(3))
    expect(await stored(ledger.database)).toBe(3)
    expect(await readSlice(ledger.database, slice.id)).toMatchObject({
      status: 'open',
      position: { page: 3 },
      batches: 1,
      counts: { fetched: 3, inserted: 3 },
    })
  })

  test("a stale owner's rows are not committed", async () => {
    await using ledger = await openLedger()
    await using stale = await ledger.worker()
    await using fresh = await ledger.worker()
    const old = await stale.take()
    await commit(ledger.database, old, 0, batch(2))
    await ledger.database.query(expire(old.id))
    const own = await fresh.take()
    expect(own).toMatchObject({ id: old.id, token: old.token + 1, seq: 1, position: { page: 2 }, resumed: true })
    expect(sqlState(await failure(commit(ledger.database, old, 1, batch(5))))).toBe('SL001')
    expect(await stored(ledger.database)).toBe(2)
    await commit(ledger.database, own, 1, batch(4))
    expect(await stored(ledger.database)).toBe(6)
  })

  test('what a stopped owner has locked is free again once its slice is taken over', async () => {
    await using ledger = await openLedger()
    await using stale = await ledger.worker()
    await using fresh = await ledger.worker()
    const old = await stale.take()
    const stopped = await ledger.database.transaction({ sessionTag: sessionMark(old) })
    await checkHeld(stopped, old)
    await stopped.run('lock table public.rows in access exclusive mode')
    await ledger.database.query(expire(old.id))
    const own = await fresh.take()
    await commit(ledger.database, own, 0, batch(1))
    expect(isTransient(await failure(stopped.commit(advanceSql(old, 0, batch(1)))))).toBe(true)
    await stopped[Symbol.asyncDispose]()
    expect(await stored(ledger.database)).toBe(1)
  })

  test('a stale owner knows it before it changes a table', async () => {
    await using ledger = await openLedger()
    await using stale = await ledger.worker()
    await using fresh = await ledger.worker()
    const old = await stale.take()
    const holds = async (slice: Slice): Promise<void> => {
      await using transaction = await ledger.database.transaction()
      await checkHeld(transaction, slice)
    }
    await holds(old)
    await ledger.database.query(expire(old.id))
    const own = await fresh.take()
    await holds(own)
    await expect(holds(old)).rejects.toThrow(SliceLostError)
    await commit(ledger.database, own, 0, batch(0, { position: END }))
    await expect(holds(own)).rejects.toThrow(SliceLostError)
  })

  test('the same batch is never committed twice', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    const slice = await worker.take()
    await commit(ledger.database, slice, 0, batch(2))
    expect(sqlState(await failure(commit(ledger.database, slice, 0, batch(2))))).toBe('SL001')
    expect(await stored(ledger.database)).toBe(2)
  })

  test('after the end nothing is committed any more', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    const slice = await worker.take()
    await commit(ledger.database, slice, 0, batch(0, { position: END }))
    expect(sqlState(await failure(commit(ledger.database, slice, 1, batch(1))))).toBe('SL001')
  })

  test('of many runs that claim a slice at once, one wins, and the others learn its id', async () => {
    await using ledger = await openLedger()
    await using stack = new AsyncDisposableStack()
    const workers = await Promise.all(Array.from({ length: 6 }, async () => stack.use(await ledger.worker())))
    const claims = await Promise.all(workers.map((worker) => worker.claim()))
    const winner = claims.findIndex((claim) => claim?.slice)
    expect(claims.filter((claim) => claim?.slice)).toHaveLength(1)
    for (const claim of claims.filter((claim) => !claim?.slice)) {
      expect(claim?.busy).toMatchObject({
        slice: claims[winner]!.slice!.id,
        run: workers[winner]!.run,
        pid: workers[winner]!.keeper.session.pid,
      })
    }
  })

  test('of many that claim an abandoned slice at once, one wins', async () => {
    await using ledger = await openLedger()
    await using stack = new AsyncDisposableStack()
    const slice = await (await ledger.worker().then((worker) => stack.use(worker))).take()
    await ledger.database.query(expire(slice.id))
    const workers = await Promise.all(Array.from({ length: 6 }, async () => stack.use(await ledger.worker())))
    const claims = await Promise.all(workers.map((worker) => worker.claim()))
    expect(claims.filter((claim) => claim?.slice)).toHaveLength(1)
    expect((await ledger.database.query<{ token: string }>('select token from sluice.slices'))[0]!.token).toBe('2')
  })

  test('a slice whose holder is alive cannot be claimed, one whose lease is over can', async () => {
    await using ledger = await openLedger()
    await using holder = await ledger.worker()
    await using other = await ledger.worker()
    const slice = await holder.take()
    expect((await other.claim())?.busy).toMatchObject({ slice: slice.id, run: holder.run })
    await ledger.database.query(`update sluice.slices set lease_until = clock_timestamp() - interval '1 ms'`)
    expect((await other.claim())?.slice).toMatchObject({ id: slice.id })
  })

  test("a slice whose keeper's session is gone is claimed at once", async () => {
    await using ledger = await openLedger()
    await using other = await ledger.worker()
    const holder = await ledger.worker()
    const slice = await holder.take()
    holder.keeper.release(slice)
    await holder.keeper[Symbol.asyncDispose]()
    expect((await readSlice(ledger.database, slice.id))?.isHeld).toBe(false)
    expect((await other.claim())?.slice).toMatchObject({ id: slice.id, token: 2 })
  })

  test('another session with the process id of a dead keeper does not keep its slice', async () => {
    await using ledger = await openLedger()
    await using holder = await ledger.worker()
    await using other = await ledger.worker()
    const slice = await holder.take()
    holder.keeper.release(slice)
    await ledger.database.query(`update sluice.slices set lease_started = lease_started - interval '1 us'`)
    expect((await other.claim())?.slice).toMatchObject({ id: slice.id })
  })

  test('where no session is known, as behind a pooler, only time decides', async () => {
    await using ledger = await openLedger()
    const holder = await ledger.worker()
    await using other = await ledger.worker()
    const slice = await holder.take()
    await ledger.database.query('update sluice.slices set lease_pid = null, lease_started = null')
    holder.keeper.release(slice)
    await holder.keeper[Symbol.asyncDispose]()
    expect((await other.claim())?.busy).toMatchObject({ slice: slice.id, pid: undefined })
    await ledger.database.query(expire(slice.id))
    expect((await other.claim())?.slice).toMatchObject({ id: slice.id })
  })

  test('a keeper behind a pooler, whose process is not the one that the protocol names, gives no session', async () => {
    await using ledger = await openLedger()
    const open = ledger.database.connection.bind(ledger.database)
    ledger.database.connection = async (options) => {
      const real = await open(options)
      return Object.defineProperty(real, 'pid', { value: 999_999 })
    }
    await using keeper = await LeaseKeeper.open(ledger.database)
    expect(keeper.session).toEqual({ pid: null, started: null })
  })

  test('a slice that is let go of can be claimed at once, and says why it was left', async () => {
    await using ledger = await openLedger()
    await using holder = await ledger.worker()
    await using other = await ledger.worker()
    const slice = await holder.take()
    await releaseSlice(ledger.database, slice, { error: 'GET /posts answered 500', signal })
    expect((await readSlice(ledger.database, slice.id))?.error).toBe('GET /posts answered 500')
    const own = await other.take()
    expect(own.id).toBe(slice.id)
    await releaseSlice(ledger.database, slice, { error: 'too late', signal })
    expect(await readSlice(ledger.database, slice.id)).toMatchObject({ isHeld: true, error: 'GET /posts answered 500' })
  })

  test('a slice that is skipped because it is locked is named, never taken for done', async () => {
    await using ledger = await openLedger()
    await using holder = await ledger.worker()
    await using other = await ledger.worker()
    const slice = await holder.take()
    holder.keeper.release(slice)
    await ledger.database.query(expire(slice.id))
    await using transaction = await ledger.database.transaction()
    await transaction.query('select from sluice.slices where id = $1 for update', [slice.id])
    expect((await other.claim())?.busy).toMatchObject({ slice: slice.id, run: holder.run })
  })

  test('a claim waits for a batch that a dead process is still committing, and reads its position', async () => {
    await using ledger = await openLedger()
    await using holder = await ledger.worker()
    await using other = await ledger.worker()
    const slice = await holder.take()
    holder.keeper.release(slice)
    await ledger.database.query(expire(slice.id))
    await using transaction = await ledger.database.transaction()
    await transaction.query(
      `update sluice.slices
          set seq = 1, batches = 1, position = '{"page": 7}', fetched = 7, inserted = 7 where id = $1`,
      [slice.id],
    )
    const claiming = other.claim()
    await transaction.commit()
    expect((await claiming)?.slice).toMatchObject({ position: { page: 7 }, seq: 1 })
  })
})
