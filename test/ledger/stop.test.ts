import { randomUUID } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import { PieceTakenError, readAttempts, readPiece, recordStoppedAttempt } from '../../src/ledger/pieces.ts'
import { finishRun, startRun } from '../../src/ledger/runs.ts'
import { releaseSlice } from '../../src/ledger/slices/transitions.ts'
import { batch, commit, openLedger, signal, until } from './support.ts'

describe('a run that is asked to end', () => {
  test('a run is notified of a stop request at once, and only once', async () => {
    await using ledger = await openLedger()
    const asked: string[] = []
    await using worker = await ledger.worker({ renewEveryMs: 600_000, onStop: (run) => asked.push(run) })
    const ask = async (run: string): Promise<unknown> =>
      (await ledger.database.query<{ at: Date | null }>('select sluice.request_stop($1) as at', [run]))[0]!.at
    const first = await ask(worker.run)
    expect(first).toBeInstanceOf(Date)
    await until(async () => asked.length > 0)
    expect(await ask(worker.run)).toEqual(first)
    expect(await ask('999')).toBeNull()
    expect(asked).toEqual([worker.run])
  })

  test('hears of it when it renews its leases, where no notification comes through', async () => {
    await using ledger = await openLedger()
    const asked: string[] = []
    await using worker = await ledger.worker({ renewEveryMs: 50, onStop: (run) => asked.push(run) })
    await ledger.database.query('update sluice.runs set stop_requested_at = clock_timestamp() where id = $1', [
      worker.run,
    ])
    await until(async () => asked.length > 0)
    expect(asked).toEqual([worker.run])
  })
})

describe('a piece of work', () => {
  test('is not begun again once it has ended, was taken back, or was cancelled and then killed', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    const { database } = ledger
    const { keeper } = worker
    const begin = (id: string) => startRun(database, { kind: 'sync', pipeline: 'forum', keeper, piece: { id }, signal })
    const stateOf = async (id: string) => (await readAttempts(database, [id], signal)).get(id)
    const [ended, takenBack, cancelled, left] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()]
    await finishRun(database, await begin(ended), { status: 'failed', keeper, signal })
    const stopped = { pipeline: 'forum', stream: 'posts', error: 'enough', piece: { id: takenBack }, signal }
    expect(await recordStoppedAttempt(database, stopped)).toBe(true)
    const run = await begin(cancelled)
    expect(await recordStoppedAttempt(database, { ...stopped, piece: { id: cancelled } })).toBe(false)
    await database.query('select sluice.request_stop($1)', [run])
    expect(await stateOf(cancelled)).toMatchObject({ state: 'running', status: 'running' })
    keeper.unfollow(run)
    await begin(left)
    // No backend has this start.
    await database.query(`update sluice.runs set lease_started = 'epoch' where status = 'running'`)
    expect(await stateOf(cancelled)).toMatchObject({ state: 'ended', status: 'interrupted' })
    for (const id of [ended, takenBack, cancelled]) await expect(begin(id)).rejects.toThrow(PieceTakenError)
    await expect(begin(left)).resolves.toMatch(/^\d+$/)
  })

  test('is left by a run that the ledger has as interrupted, and that one keeps its status', async () => {
    await using ledger = await openLedger()
    const taken: unknown[] = []
    await using worker = await ledger.worker({ renewEveryMs: 20, onStop: (...call) => taken.push(call) })
    const { database } = ledger
    const { keeper } = worker
    const start = { kind: 'sync', pipeline: 'forum', keeper, signal } as const
    const run = await startRun(database, { ...start, piece: { id: randomUUID() } })
    // A run that is no piece of work goes on: no other process takes it over.
    await database.query(`update sluice.runs set status = 'interrupted', finished_at = clock_timestamp()`)
    await until(async () => taken.length > 0)
    expect(taken).toEqual([[run, true]])
    await finishRun(database, run, { status: 'failed', keeper, signal })
    expect(await database.query('select status from sluice.runs where id = $1', [run])).toEqual([
      { status: 'interrupted' },
    ])
  })

  test('counts what all its attempts have read, also those that left no report', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    const { database } = ledger
    const { keeper } = worker
    const piece = { id: randomUUID() }
    const read = async (run: string, stream: string, rows: number): Promise<void> => {
      const slice = await worker.take({ run, stream })
      const { counts } = batch(rows)
      await commit(database, slice, slice.seq, batch(rows))
      const event = { slice: slice.id, seq: slice.seq + 1, pages: 1, bytes: 1, ms: 1, counts }
      // Events of the last moment before a kill are lost. The counts of a slice that the piece has begun need none.
      if (stream === 'posts') keeper.emit(run, { type: 'batch.committed', stream, ...event })
      await keeper.flush()
      keeper.release(slice)
      await releaseSlice(database, slice, { signal })
    }
    await read(worker.run, 'posts', 10)
    for (const rows of [3, 1]) {
      const run = await startRun(database, { kind: 'sync', pipeline: 'forum', keeper, piece, signal })
      await read(run, 'posts', rows)
      await read(run, 'likes', rows)
      keeper.unfollow(run)
      await database.query(`update sluice.runs set status = 'interrupted', finished_at = now() where id = $1`, [run])
    }
    expect(await readPiece(database, piece.id, signal)).toMatchObject({
      attempts: 2,
      earlier: [],
      read: { counts: { fetched: 8, inserted: 8 }, batches: 4 },
    })
  })
})
