import { describe, expect, test } from '@jest/globals'
import { openDatabase } from '../../../src/database/database.ts'
import { resolveCommit } from '../../../src/ledger/slices/resolve-commit.ts'
import { SliceLostError } from '../../../src/model/errors.ts'
import { END } from '../../../src/model/page.ts'
import { PgProxy } from '../../support/pg-proxy.ts'
import { batch, commit, openLedger, signal, stored, readSlice } from '../support.ts'

describe('a COMMIT whose answer was lost', () => {
  test('is in where the batch number has moved', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    const slice = await worker.take()
    await commit(ledger.database, slice, 0, batch(2))
    expect(await resolveCommit(ledger.database, slice, 0, { signal })).toBe('committed')
    await commit(ledger.database, slice, 1, batch(0, { position: END }))
    expect(await resolveCommit(ledger.database, slice, 1, { signal })).toBe('committed')
  })

  test('is sent again where it has not moved and the slice is ours', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    const slice = await worker.take()
    expect(await resolveCommit(ledger.database, slice, 0, { signal })).toBe('again')
  })

  test('is lost if the slice has another token or was closed', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    await using other = await ledger.worker()
    const slice = await worker.take()
    await ledger.database.query(`update sluice.slices set lease_until = clock_timestamp() - interval '1 s'`)
    await other.take()
    await expect(resolveCommit(ledger.database, slice, 0, { signal })).rejects.toThrow(SliceLostError)
    await expect(resolveCommit(ledger.database, slice, 0, { signal })).rejects.toThrow(/was taken by run \d+/)
  })

  test('is waited for while a backend of ours is still committing', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    const slice = await worker.take()
    await using slow = await ledger.database.transaction()
    await slow.query(`select sluice.advance($1, 1, 0, '{"page": 2}', '${JSON.stringify(batch(2).counts)}')`, [slice.id])
    const settling = resolveCommit(ledger.database, slice, 0, { signal })
    await slow.commit()
    expect(await settling).toBe('committed')
  })

  test('is not guessed at where that takes too long', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    const slice = await worker.take()
    await using stuck = await ledger.database.transaction()
    await stuck.query('select from sluice.slices where id = $1 for update', [slice.id])
    await expect(resolveCommit(ledger.database, slice, 0, { lockTimeout: '50ms', signal })).rejects.toThrow(
      /not known whether it was committed/,
    )
  })

  test('is in or not, whichever side of the COMMIT the line is cut on, and every row is stored once', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker()
    const slice = await worker.take()
    const outcomes: string[] = []
    for (const [seq, lose] of (['statement', 'answer'] as const).entries()) {
      let cut = false
      await using proxy = await PgProxy.open({
        port: Number(new URL(ledger.url).port),
        watchers: [
          {
            before: (message) => {
              const isIt =
                lose === 'statement'
                  ? message.from === 'client' && message.text?.includes('sluice.advance')
                  : message.from === 'server' && message.name === 'CommandComplete' && message.text === 'COMMIT'
              if (!isIt || cut) return undefined
              cut = true
              message.link.cut()
              return 'drop'
            },
          },
        ],
      })
      await using database = await openDatabase({ url: proxy.through(ledger.url) })
      await expect(commit(database, slice, seq, batch(2))).rejects.toThrow(/lost|terminated|reset/i)
      const outcome = await resolveCommit(database, slice, seq, { signal })
      outcomes.push(outcome)
      if (outcome === 'again') await commit(database, slice, seq, batch(2))
    }
    expect(outcomes).toEqual(['again', 'committed'])
    expect(await stored(ledger.database)).toBe(4)
    expect(await readSlice(ledger.database, slice.id)).toMatchObject({ batches: 2, counts: { inserted: 4 } })
  })
})
