import { describe, expect, test } from '@jest/globals'
import { sqlState } from '../../../src/database/errors.ts'
import { closeSlices, openSlice } from '../../../src/ledger/slices/transitions.ts'
import { resetCursor, setCursor } from '../../../src/ledger/cursors.ts'
import { readSlices } from '../../../src/ledger/read/read-slices.ts'
import { batch, commit, failure, none, openLedger, signal, until, readSlice } from '../support.ts'
import { heldSlice } from '../../../src/ledger/slices/held-slice.ts'
import { day, openRange } from './ranges-support.ts'
import { cursor, end, name, readOnce } from '../read-once.ts'

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

const bounds = (start = '0') => ({ since: start, until: `${Number(start) + 1}` })

test('a step of a reading of everything is opened once, though two runs have seen the same place', async () => {
  await using ledger = await openLedger()
  const { database } = ledger
  await using stack = new AsyncDisposableStack()
  const [first, second, third] = [
    stack.use(await ledger.worker()),
    stack.use(await ledger.worker()),
    stack.use(await ledger.worker()),
  ]
  // Steps without records leave the cursor where it is.
  await commit(database, await first.take({ full: true, bounds }), 0, end())
  const open = ({ run, keeper }: typeof first) =>
    openSlice(database, {
      ...name,
      ...bounds('1'),
      run,
      kind: 'sync',
      definition: 'd1',
      hasCursor: true,
      cursor: undefined,
      beginsFull: false,
      readTo: '1',
      session: keeper.session,
      signal,
    })
  await commit(database, heldSlice((await open(second))!), 0, end())
  expect(await open(third)).toBeUndefined()
  expect(await third.take({ bounds })).toMatchObject({ since: '2', until: '3' })
})

describe('the ranges of a chain', () => {
  test('are open together, without a gap, and the cursor passes those that are done up to the next', async () => {
    await using ledger = await openLedger()
    const { database } = ledger
    await using worker = await ledger.worker()
    await using other = await ledger.worker()
    const open = async () => heldSlice((await openRange(database, worker.run, name.stream))!)
    const ranges = [await open(), await open(), await open()]
    await commit(database, ranges[2]!, 0, end(day(4)))
    expect(await cursor(database)).toBeUndefined()
    await commit(database, ranges[0]!, 0, end(day(2)))
    expect(await cursor(database)).toBe(day(2))
    // While a range is left, nothing else reads the stream.
    expect(await other.claim()).toMatchObject({ busy: { slice: ranges[1]!.id, run: worker.run } })
    await commit(database, ranges[1]!, 0, end(day(4)))
    expect(await cursor(database)).toBe(day(4))

    const insert = `insert into sluice.slices (kind, pipeline, stream, started_by, run, definition, since, until,
        chain, link, previous_link, previous_until)
      select kind, pipeline, stream, run, run, definition, $2, $3, chain, 4, 3, $2 from sluice.slices where id = $1`
    await expect(database.query(insert, [ranges[2]!.id, day(5), day(6)])).rejects.toThrow('no_gap_before_range')
    await open()
    const beside = `insert into sluice.slices (pipeline, stream, kind, started_by, run, definition)
      select pipeline, stream, kind, started_by, run, definition from sluice.slices limit 1`
    expect(sqlState(await failure(database.query(beside)))).toBe('SL008')
  })
})
