import { describe, expect, test } from '@jest/globals'
import { sqlState } from '../../../src/database/errors.ts'
import { advanceSql } from '../../../src/ledger/slices/transitions.ts'
import { claim, openReplay } from '../../../src/ledger/slices/claim.ts'
import { readRejects } from '../../../src/ledger/read/read-rejects.ts'
import { replayedSql } from '../../../src/ledger/slices/store-rejects.ts'
import { Decimal } from '../../../src/value/decimal.ts'
import { END, type Reject } from '../../../src/model/page.ts'
import { batch, commit, failure, none, openLedger, signal, readSlice } from '../support.ts'

const refused = (...rejects: Reject[]) =>
  batch(0, { rejects, counts: { ...none, fetched: rejects.length, rejected: rejects.length } })

describe('rejects', () => {
  test('are stored with stage, reason, record, run, slice and position, in the transaction of their batch', async () => {
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
