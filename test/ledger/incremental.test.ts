import { describe, expect, test } from '@jest/globals'
import type { Database } from '../../src/database/database.ts'
import { sqlState } from '../../src/database/errors.ts'
import { closeSlices, releaseSlice } from '../../src/ledger/slices/transitions.ts'
import { readCursors, resetCursor, setCursor } from '../../src/ledger/cursors.ts'
import { ledgerError } from '../../src/ledger/errors.ts'
import { readRejects } from '../../src/ledger/read/read-rejects.ts'
import { readSlices } from '../../src/ledger/read/read-slices.ts'
import { readStartedAt } from '../../src/ledger/slices/held-slice.ts'
import { END, type HighWaterMark } from '../../src/model/page.ts'
import { batch, commit, failure, none, openLedger, openWorker, signal, until, readSlice, restart } from './support.ts'

const name = { pipeline: 'forum', stream: 'posts' }
const end = (value?: string, hashes?: readonly string[]) =>
  batch(0, {
    position: END,
    ...(value !== undefined && { highWaterMark: { value, ...(hashes && { hashes }) } satisfies HighWaterMark }),
  })
const cursor = async (database: Database): Promise<string | undefined> => (await readCursors(database, name))[0]?.value

/** A run of its own that reads the stream to its end. */
async function readOnce(database: Database, value?: string, hashes?: readonly string[]) {
  await using worker = await openWorker(database)
  const slice = await worker.take()
  await commit(database, slice, slice.seq, end(value, hashes))
  return slice
}

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

  test('boundary rows that were read again stay matched in a resumed slice, and are all expected in a restarted one', async () => {
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

  test('reads a stream without a cursor once per run; an interrupted read that is finished counts as that', async () => {
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

describe('one open sync slice for each stream', () => {
  test('is what the database itself sees to', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    await worker.take()
    const copy = `insert into sluice.slices (pipeline, stream, kind, started_by, run, definition)
      select pipeline, stream, $1, started_by, run, definition from sluice.slices limit 1`
    expect(sqlState(await failure(ledger.database.query(copy, ['sync'])))).toBe('23505')
    await ledger.database.query(copy, ['replay'])
    expect(await readSlices(ledger.database, { status: 'open' })).toHaveLength(2)
  })

  test.each([
    ['set', '9'],
    ['reset', undefined],
  ] as const)(
    'cursor %s closes it in the same transaction, and who held it commits nothing more',
    async (word, value) => {
      await using ledger = await openLedger()
      await readOnce(ledger.database, '4')
      await using worker = await ledger.worker()
      const slice = await worker.take()
      await commit(ledger.database, slice, 0, batch(1))
      {
        await using transaction = await ledger.database.transaction()
        expect(word === 'set' ? await setCursor(transaction, name, '9') : await resetCursor(transaction, name)).toEqual(
          [slice.id],
        )
        await transaction.commit()
      }
      expect(await cursor(ledger.database)).toBe(value)
      expect((await readSlice(ledger.database, slice.id))?.status).toBe('closed')
      expect(sqlState(await failure(commit(ledger.database, slice, 1, end('5'))))).toBe('SL001')
      await using next = await ledger.worker()
      const fresh = await next.take()
      expect(fresh.position).toBeNull()
      expect(fresh.since).toBe(value)
    },
  )

  test('is closed together with what else its transaction does, or not at all', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    const slice = await worker.take()
    {
      await using transaction = await ledger.database.transaction()
      await closeSlices(transaction, name, 'tried')
    }
    await commit(ledger.database, slice, 0, end('5'))
    expect(await cursor(ledger.database)).toBe('5')
  })

  test('cursor set waits for a slice that is just ending, and neither is lost', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    const slice = await worker.take()
    await using ending = await ledger.database.transaction()
    await ending.query(`select sluice.advance($1, 1, 0, '{"end":true}', '${JSON.stringify(none)}', '5', null, '5')`, [
      slice.id,
    ])
    const setting = (async () => {
      await using transaction = await ledger.database.transaction()
      const closed = await setCursor(transaction, name, '3')
      await transaction.commit()
      return closed
    })()
    await ending.commit()
    expect(await setting).toEqual([])
    expect(await cursor(ledger.database)).toBe('3')
    expect((await readSlice(ledger.database, slice.id))?.status).toBe('done')
  })

  test('no slice is made from a cursor that is just being set', async () => {
    await using ledger = await openLedger()
    await readOnce(ledger.database, '4')
    await using worker = await ledger.worker()
    await using transaction = await ledger.database.transaction()
    await setCursor(transaction, name, '9')
    const taking = worker.take()
    const waits = until(
      async () =>
        (
          await ledger.database.query(
            `select from pg_stat_activity where wait_event = 'advisory' and datname = current_database()`,
          )
        ).length > 0,
    )
    await Promise.race([taking, waits])
    await transaction.commit()
    expect((await taking).since).toBe('9')
    await waits.catch(() => {})
  })

  test('many runs in turn never read from a cursor that was no longer the last', async () => {
    await using ledger = await openLedger({ max: 20 })
    await using stack = new AsyncDisposableStack()
    const workers = await Promise.all(Array.from({ length: 5 }, async () => stack.use(await ledger.worker())))
    let value = 0
    const read = await Promise.all(
      workers.map(async (worker) => {
        for (;;) {
          const claimed = await worker.claim()
          if (!claimed) return 'none'
          if (claimed.slice) {
            await commit(ledger.database, claimed.slice, 0, end(String(++value)))
            return claimed.slice.since ?? 'start'
          }
        }
      }),
    )
    expect(read.toSorted()).toEqual(['1', '2', '3', '4', 'start'])
    expect(await cursor(ledger.database)).toBe('5')
  })
})
