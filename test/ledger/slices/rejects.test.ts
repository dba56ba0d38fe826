import { describe, expect, test } from '@jest/globals'
import { sqlState } from '../../../src/database/errors.ts'
import { advanceSql, closeSlices } from '../../../src/ledger/slices/transitions.ts'
import type { HeldSlice } from '../../../src/ledger/slices/held-slice.ts'
import { rejectIdentities } from '../../../src/ledger/slices/reject-identity.ts'
import { claim, openReplay } from '../../../src/ledger/slices/claim.ts'
import { readRejects } from '../../../src/ledger/read/read-rejects.ts'
import { replayedSql } from '../../../src/ledger/slices/store-rejects.ts'
import { Decimal } from '../../../src/value/decimal.ts'
import { END, type Reject } from '../../../src/model/page.ts'
import { batch, commit, failure, none, openLedger, restart, signal, readSlice } from '../support.ts'

const refused = (...rejects: Reject[]) =>
  batch(0, { rejects, counts: { ...none, fetched: rejects.length, rejected: rejects.length } })

describe('rejects', () => {
  test('are stored with stage, reason, record and position in the transaction of their batch', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    const slice = await worker.take()
    await commit(ledger.database, slice, 0, batch(1, { position: { page: 2 } }))
    await commit(
      ledger.database,
      slice,
      1,
      refused({ stage: 'validate', reason: "it's wrong", record: { id: 7 }, parents: [{ id: 1 }] }),
    )
    expect(await readRejects(ledger.database)).toMatchObject([
      {
        run: worker.run,
        slice: slice.id,
        pipeline: 'forum',
        stream: 'posts',
        stage: 'validate',
        reason: "it's wrong",
        record: '{"id":7}',
        parents: '[{"id":1}]',
        position: { page: 2 },
      },
    ])
    expect((await readSlice(ledger.database, slice.id))?.counts.rejected).toBe(1)
  })

  test('that a slice has settled are open again after its restart, and after a close of a replace', async () => {
    await using ledger = await openLedger()
    const { database } = ledger
    const key = ['id']
    const [good, bad] = [
      { id: 1, at: 1 },
      { id: 2, at: 1 },
    ]
    await using first = await ledger.worker()
    const old = await first.take()
    const rejects: Reject[] = [good, bad].map((record) => ({ stage: 'map', reason: 'no', record }))
    await commit(database, old, 0, { ...refused(...rejects), key, position: END })
    const settle = async (slice: HeldSlice, seq: number): Promise<string[]> => {
      const settles = rejectIdentities({ record: good }, key)
      await commit(database, slice, seq, {
        ...batch(1, { rejects: [rejects[1]!], counts: { ...none, fetched: 2, inserted: 1, rejected: 1 } }),
        position: { page: 2 },
        key,
        settles,
      })
      return openRejects()
    }
    const openRejects = async (): Promise<string[]> => (await readRejects(database)).map(({ slice }) => slice)

    await using second = await ledger.worker()
    const slice = await second.take()
    expect(await settle(slice, 0)).toEqual([slice.id])
    await using transaction = await database.transaction()
    const restarted = restart(slice, 1)
    await transaction.commit(restarted.sql)
    expect(await openRejects()).toEqual([old.id, old.id])

    expect(await settle(restarted.slice, 2)).toEqual([slice.id])
    await database.query(`create table sluice.shadow_${slice.id} ()`)
    await using closing = await database.transaction()
    await closeSlices(closing, slice, 'tried')
    await closing.commit()
    // The second record is listed with its newest reject, which a close keeps.
    expect(await openRejects()).toEqual([old.id, slice.id])
  })

  test('of a batch that is not committed are not stored', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    const slice = await worker.take()
    await failure(
      commit(ledger.database, { ...slice, token: 9 }, 0, refused({ stage: 'map', reason: 'no', record: 1 })),
    )
    expect(await readRejects(ledger.database)).toEqual([])
  })

  test('are as many as were counted', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    const slice = await worker.take()
    expect(() => advanceSql(slice, 0, { ...refused({ stage: 'map', reason: 'no', record: 1 }), rejects: [] })).toThrow(
      /count of rejected records is 1, but it has 0 rejects/,
    )
  })

  test.each([
    ['an integer beyond 2^53', { id: 9007199254740993n }, '{"id":9007199254740993}'],
    ['a long decimal', { amount: new Decimal('0.10000000000000000555') }, '{"amount":0.10000000000000000555}'],
    ['NUL', { text: 'a\0b' }, '{"text":"a\\u0000b"}'],
    ['a lone surrogate', { text: '\ud800' }, '{"text":"\\ud800"}'],
    ['a quote and a backslash', { text: `'\\'` }, `{"text":"'\\\\'"}`],
    ['nothing', undefined, 'null'],
    ['text that is no record', 'oops', '"oops"'],
  ])('keep the record exactly: %s', async (_, record, json) => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    const slice = await worker.take()
    await commit(ledger.database, slice, 0, refused({ stage: 'encode', reason: 'a\0b\ud800', record }))
    expect(await readRejects(ledger.database)).toMatchObject([{ record: json, reason: 'a\ufffdb\ufffd' }])
  })

  test('keep a record that is no JSON as text', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    const slice = await worker.take()
    const record: { self?: unknown } = {}
    record.self = record
    await commit(ledger.database, slice, 0, refused({ stage: 'map', reason: 'no', record }))
    expect((await readRejects(ledger.database))[0]?.record).toContain('Circular')
  })

  test('are read page by page, in order, each once', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    const slice = await worker.take()
    await commit(
      ledger.database,
      slice,
      0,
      refused(...Array.from({ length: 25 }, (_, n) => ({ stage: 'map' as const, reason: 'no', record: n }))),
    )
    const read: string[] = []
    for (let after: string | undefined; ;) {
      const page = await readRejects(ledger.database, { stream: 'posts', after, limit: 10 })
      if (page.length === 0) break
      read.push(...page.map(({ record }) => record))
      after = page.at(-1)!.id
    }
    expect(read).toEqual(Array.from({ length: 25 }, (_, n) => String(n)))
  })

  test('are replayed once: marked in the transaction that stores the record, and never by two', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    const slice = await worker.take()
    await commit(
      ledger.database,
      slice,
      0,
      refused({ stage: 'map', reason: 'no', record: 1 }, { stage: 'map', reason: 'no', record: 2 }),
    )
    const ids = (await readRejects(ledger.database)).map(({ id }) => id)
    const replay = async (which: readonly string[]): Promise<void> => {
      const own = await openReplay(ledger.database, {
        run: worker.run,
        keeper: worker.keeper,
        pipeline: 'forum',
        stream: 'posts',
        definition: 'd1',
        signal,
      })
      await using transaction = await ledger.database.transaction()
      await transaction.commit(
        `${replayedSql(which, worker.run)};\n` + advanceSql(own, 0, batch(which.length, { position: END })),
      )
    }
    await replay(ids.slice(0, 1))
    expect((await readRejects(ledger.database)).map(({ id }) => id)).toEqual(ids.slice(1))
    expect(
      (await readRejects(ledger.database, { settled: true })).map(({ settledAt }) => settledAt !== undefined),
    ).toEqual([true, false])
    expect(sqlState(await failure(replay(ids)))).toBe('SL006')
    expect((await readRejects(ledger.database)).map(({ id }) => id)).toEqual(ids.slice(1))
  })

  test('a replay stands beside the open slice of its stream, and leaves the cursor alone', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    const open = await worker.take()
    const own = await openReplay(ledger.database, {
      run: worker.run,
      keeper: worker.keeper,
      pipeline: 'forum',
      stream: 'posts',
      definition: 'd1',
      since: '1',
      until: '2',
      signal,
    })
    expect(own).toMatchObject({ kind: 'replay', since: '1', until: '2' })
    await commit(ledger.database, own, 0, batch(1, { position: END, highWaterMark: { value: '2' } }))
    expect(await ledger.database.query('select from sluice.cursors')).toEqual([])
    await commit(ledger.database, open, 0, batch(1, { position: END, highWaterMark: { value: '1' } }))
    expect(await ledger.database.query('select value from sluice.cursors')).toEqual([{ value: '1' }])
    expect(
      await claim(ledger.database, {
        run: worker.run,
        keeper: worker.keeper,
        pipeline: 'forum',
        stream: 'posts',
        definition: 'd1',
        hasCursor: true,
        signal,
      }),
    ).toBeUndefined()
  })
})
