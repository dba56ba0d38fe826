import { describe, expect, test } from '@jest/globals'
import { sqlState } from '../../src/database/errors.ts'
import { releaseSlice } from '../../src/ledger/slices/transitions.ts'
import { ledgerError } from '../../src/ledger/errors.ts'
import { batch, commit, failure, openLedger, signal, readSlice, restart } from './support.ts'
import { cursor, end, readOnce } from './read-once.ts'

describe('the cursor', () => {
  test('moves when the slice is complete, not before', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    const slice = await worker.take()
    await commit(ledger.database, slice, 0, batch(1, { highWaterMark: { value: '2024-05-01' } }))
    expect(await cursor(ledger.database)).toBeUndefined()
    expect(await readSlice(ledger.database, slice.id)).toMatchObject({ high: '2024-05-01' })
    await commit(ledger.database, slice, 1, end('2024-05-02'))
    expect(await cursor(ledger.database)).toBe('2024-05-02')
  })

  test('is where the next run reads on', async () => {
    await using ledger = await openLedger()
    expect((await readOnce(ledger.database, '2024-05-02')).since).toBeUndefined()
    expect(await readOnce(ledger.database)).toMatchObject({ since: '2024-05-02', cursor: '2024-05-02' })
  })

  test.each([
    ['number', '9', '10', '10'],
    ['number', '10', '9', '10'],
    ['number', '9007199254740993', '9007199254740992', '9007199254740993'],
    ['instant', '2024-01-01T00:00:00Z', '2024-01-01T00:00:00.700Z', '2024-01-01T00:00:00.700Z'],
    ['instant', '2024-01-01T09:00:00+09:00', '2024-01-01T03:00:00Z', '2024-01-01T03:00:00Z'],
    ['instant', '2024-01-01T00:00:00.000Z', '2024-01-01T00:00:00Z', '2024-01-01T00:00:00.000Z'],
    ['text', 'b', 'a', 'b'],
  ])(
    'becomes the greater of itself and what was seen, as a %s: of %s and %s',
    async (_kind, first, second, greater) => {
      await using ledger = await openLedger()
      await readOnce(ledger.database, first)
      await readOnce(ledger.database, second)
      expect(await cursor(ledger.database)).toBe(greater)
    },
  )

  test('stays where nothing was seen', async () => {
    await using ledger = await openLedger()
    await readOnce(ledger.database, '5')
    await readOnce(ledger.database)
    expect(await cursor(ledger.database)).toBe('5')
  })

  test('a cursor that another run has moved is not overwritten', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    const slice = await worker.take()
    await ledger.database.query(`insert into sluice.cursors (pipeline, stream, value) values ('forum', 'posts', '7')`)
    const error = await failure(commit(ledger.database, slice, 0, end('5')))
    expect(sqlState(error)).toBe('SL004')
    expect(ledgerError(error, 'forum.posts')?.message).toContain('Run again')
    await releaseSlice(ledger.database, slice, { signal })
    await using next = await ledger.worker()
    expect(await next.claim()).toMatchObject({
      slice: { id: slice.id },
      restart: { reason: 'cursor', since: '7', cursor: '7' },
    })
  })

  test("is the stream's own: another partition has another one", async () => {
    await using ledger = await openLedger()
    await readOnce(ledger.database, '5')
    await using worker = await ledger.worker()
    expect((await worker.take({ partition: 'eu' })).since).toBeUndefined()
    expect((await worker.take({ stream: 'topics' })).since).toBeUndefined()
  })
})

describe('hashes of the rows at the boundary', () => {
  test('move to the cursor with its value', async () => {
    await using ledger = await openLedger()
    await readOnce(ledger.database, '5', ['a', 'b', 'b'])
    expect((await readOnce(ledger.database)).boundary).toEqual({ a: 1, b: 2 })
  })

  test('are kept where the cursor stays, the greater number of each', async () => {
    await using ledger = await openLedger()
    await readOnce(ledger.database, '5', ['a', 'b', 'b'])
    await readOnce(ledger.database, '5', ['b', 'c'])
    expect((await readOnce(ledger.database)).boundary).toEqual({ a: 1, b: 2, c: 1 })
  })

  test('are replaced where the cursor moves', async () => {
    await using ledger = await openLedger()
    await readOnce(ledger.database, '5', ['a'])
    await readOnce(ledger.database, '6', ['d'])
    expect((await readOnce(ledger.database)).boundary).toEqual({ d: 1 })
  })

  test('come back with a slice that is resumed', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    const slice = await worker.take()
    await commit(ledger.database, slice, 0, batch(3, { highWaterMark: { value: '5', hashes: ['a', 'b', 'b'] } }))
    await releaseSlice(ledger.database, slice, { signal })
    await using next = await ledger.worker()
    const high = (await next.take()).highWaterMark
    expect(high?.value).toBe('5')
    expect(high?.hashes?.toSorted()).toEqual(['a', 'b', 'b'])
  })

  test('that were read again stay matched in a resumed slice, but not in a restarted one', async () => {
    await using ledger = await openLedger()
    await readOnce(ledger.database, '5', ['a', 'b', 'b'])
    await using first = await ledger.worker()
    const slice = await first.take()
    await commit(ledger.database, slice, 0, batch(1, { boundaryRemaining: { b: 1 } }))
    await commit(ledger.database, slice, 1, batch(1))
    await releaseSlice(ledger.database, slice, { signal })
    await using second = await ledger.worker()
    const resumed = await second.take()
    expect(resumed.boundary).toEqual({ b: 1 })
    const again = restart(resumed, resumed.seq)
    expect(again.slice.boundary).toEqual({ a: 1, b: 2 })
    await using transaction = await ledger.database.transaction()
    await transaction.commit(again.sql)
    await releaseSlice(ledger.database, again.slice, { signal })
    await using third = await ledger.worker()
    expect((await third.take()).boundary).toEqual({ a: 1, b: 2 })
  })

  test('are 10,000 at most, then a key is asked for', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    const slice = await worker.take()
    const hashes = Array.from({ length: 10_000 }, (_, n) => `h${n}`)
    await commit(ledger.database, slice, 0, batch(0, { highWaterMark: { value: '5', hashes } }))
    const error = await failure(
      commit(ledger.database, slice, 1, batch(0, { highWaterMark: { value: '5', hashes: [...hashes, 'one more'] } })),
    )
    expect(sqlState(error)).toBe('SL005')
    expect(ledgerError(error, 'forum.posts')?.message).toContain('Give the table a key')
  })
})

describe('a run', () => {
  test('first finishes what is open, then reads on from the cursor, then is done', async () => {
    await using ledger = await openLedger()
    await using first = await ledger.worker()
    const open = await first.take()
    await commit(ledger.database, open, 0, batch(2, { highWaterMark: { value: '3' } }))
    await releaseSlice(ledger.database, open, { signal })
    await using second = await ledger.worker()
    const resumed = await second.take()
    expect(resumed).toMatchObject({ id: open.id, position: { page: 2 }, resumed: true, seq: 1 })
    await commit(ledger.database, resumed, 1, end('5'))
    const fresh = await second.take()
    expect(fresh).toMatchObject({ since: '5', position: null, resumed: false })
    await commit(ledger.database, fresh, 0, end())
    expect(await second.claim()).toBeUndefined()
  })

  test('reads a stream without a cursor once per run; finishing an interrupted read counts', async () => {
    await using ledger = await openLedger()
    await using first = await ledger.worker()
    const open = await first.take({ hasCursor: false })
    await releaseSlice(ledger.database, open, { signal })
    await using second = await ledger.worker()
    const resumed = await second.take({ hasCursor: false })
    await commit(ledger.database, resumed, 0, end())
    expect(await second.claim({ hasCursor: false })).toBeUndefined()
    await using third = await ledger.worker()
    await commit(ledger.database, await third.take({ hasCursor: false }), 0, end())
    expect(await third.claim({ hasCursor: false })).toBeUndefined()
  })

  test('never takes its own open slice for read', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    const slice = await worker.take()
    expect((await worker.claim())?.busy).toMatchObject({ run: worker.run })
    await releaseSlice(ledger.database, slice, { error: 'failed', signal })
    expect((await worker.claim())?.slice).toMatchObject({ id: slice.id })
  })

  test('keeps since and until as they were when the slice was made', async () => {
    await using ledger = await openLedger()
    await using first = await ledger.worker()
    const slice = await first.take({ bounds: () => ({ since: '1', until: '9' }) })
    await releaseSlice(ledger.database, slice, { signal })
    await using second = await ledger.worker()
    expect(await second.take({ bounds: () => ({ since: '2', until: '8' }) })).toMatchObject({ since: '1', until: '9' })
  })
})
