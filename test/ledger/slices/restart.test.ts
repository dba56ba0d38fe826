import { describe, expect, test } from '@jest/globals'
import { sqlState } from '../../../src/database/errors.ts'
import { releaseSlice } from '../../../src/ledger/slices/transitions.ts'
import { readRejects } from '../../../src/ledger/read/read-rejects.ts'
import { readStartedAt } from '../../../src/ledger/slices/held-slice.ts'
import { batch, commit, failure, none, openLedger, signal, readSlice, restart } from '../support.ts'
import { cursor, end, readOnce } from '../read-once.ts'

describe('a slice begins at its start again', () => {
  test.each([
    ['where another definition made it', { definition: 'd2' }, 'definition'],
    ['where its reading began too long ago', { resume: '0ms' }, 'age'],
    ['where everything is to be read', { full: true }, 'full'],
  ] as const)('%s', async (_, options, reason) => {
    await using ledger = await openLedger()
    await readOnce(ledger.database, '4')
    await using first = await ledger.worker()
    const open = await first.take()
    const reject = { stage: 'map', reason: 'no', record: 1 } as const
    await commit(
      ledger.database,
      open,
      0,
      batch(2, {
        highWaterMark: { value: '5', hashes: ['a'] },
        rejects: [reject],
        counts: { ...none, fetched: 3, inserted: 2, rejected: 1 },
      }),
    )
    await releaseSlice(ledger.database, open, { signal })
    await using second = await ledger.worker()
    const claimed = await second.claim(options)
    expect(claimed).toMatchObject({ slice: { id: open.id }, restart: { reason } })
    if (!claimed?.slice) return
    const again = restart(claimed.slice, claimed.slice.seq, claimed.restart)
    await using transaction = await ledger.database.transaction()
    await transaction.commit(again.sql)
    expect(again.slice).toMatchObject({
      seq: 2,
      position: null,
      resumed: false,
      rejected: 0,
      counts: none,
      cursor: '4',
    })
    expect(again.slice.since).toBe(reason === 'full' ? undefined : '4')
    expect(again.slice.highWaterMark).toBeUndefined()
    expect(await readSlice(ledger.database, open.id)).toMatchObject({
      status: 'open',
      position: null,
      high: undefined,
      counts: none,
      batches: 0,
      since: again.slice.since,
      startedBy: second.run,
    })
    expect(await readRejects(ledger.database)).toEqual([])
    expect(sqlState(await failure(commit(ledger.database, claimed.slice, 1, batch(1))))).toBe('SL001')
    await commit(ledger.database, again.slice, again.slice.seq, end('6'))
    expect(await cursor(ledger.database)).toBe('6')
    expect(await second.claim(options)).toBeUndefined()
  })

  test.each([
    ['began too long ago', { resume: '0ms' }, 'age'],
    ['was begun by another definition', { definition: 'd2' }, 'definition'],
  ] as const)('and not at the cursor, where a reading of everything %s', async (_, options, reason) => {
    await using ledger = await openLedger()
    await readOnce(ledger.database, '4')
    await using first = await ledger.worker()
    const full = await first.claim({ full: true })
    expect(full?.slice?.since).toBeUndefined()
    await releaseSlice(ledger.database, full!.slice!, { signal })
    await using second = await ledger.worker()
    const claimed = await second.claim(options)
    expect(claimed).toMatchObject({ slice: { id: full!.slice!.id }, restart: { reason } })
    if (!claimed?.slice) return
    expect(claimed.restart?.since).toBeUndefined()
    expect(claimed.restart?.cursor).toBe('4')
  })

  test('once, and is then as young as any other', async () => {
    await using ledger = await openLedger()
    await using first = await ledger.worker()
    await releaseSlice(ledger.database, await first.take(), { signal })
    await ledger.database.query(`update sluice.slices set started_at = started_at - interval '25 h'`)
    await using second = await ledger.worker()
    const claimed = await second.claim()
    expect(claimed).toMatchObject({ restart: { reason: 'age' } })
    const again = restart(claimed!.slice!, 0, claimed!.slice && claimed!.restart)
    await using transaction = await ledger.database.transaction()
    await transaction.commit(again.sql)
    await releaseSlice(ledger.database, again.slice, { signal })
    await using third = await ledger.worker()
    expect(await third.claim()).toEqual({ slice: expect.objectContaining({ id: again.slice.id }) })
  })

  test('only while it is ours', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    const slice = await worker.take()
    await ledger.database.query('update sluice.slices set token = token + 1')
    await using transaction = await ledger.database.transaction()
    expect(sqlState(await failure(transaction.commit(restart(slice, 0).sql)))).toBe('SL001')
  })

  test('and no cursor passes that start, instead of the one before', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    const slice = await worker.take()
    await using transaction = await ledger.database.transaction()
    await transaction.commit(restart(slice, 0).sql)
    const begunAt = await readStartedAt(ledger.database, slice, signal)
    expect(begunAt.getTime()).toBeGreaterThan(slice.startedAt.getTime())
    await releaseSlice(ledger.database, { ...slice, seq: 1 }, { signal })
    await using next = await ledger.worker()
    expect((await next.take()).startedAt).toEqual(begunAt)
  })

  test('and keeps its bounds where the API has forgotten the position', async () => {
    await using ledger = await openLedger()
    await readOnce(ledger.database, '4')
    await using worker = await ledger.worker()
    const slice = await worker.take()
    const again = restart(slice, 0)
    await using transaction = await ledger.database.transaction()
    await transaction.commit(again.sql)
    expect(await readSlice(ledger.database, slice.id)).toMatchObject({ since: '4' })
    await commit(ledger.database, again.slice, 1, end('5'))
  })
})
