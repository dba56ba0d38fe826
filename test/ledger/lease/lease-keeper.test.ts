import { describe, expect, test } from '@jest/globals'
import { openDatabase } from '../../../src/database/database.ts'
import { closeSlices } from '../../../src/ledger/slices/transitions.ts'
import { readRun } from '../../../src/ledger/read/read-runs.ts'
import { PgProxy } from '../../support/pg-proxy.ts'
import { batch, commit, openLedger, openWorker, until, readSlice } from '../support.ts'

describe('the keeper', () => {
  test('renews the leases of the slices that are held, and says that the run goes on', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker({ renewEveryMs: 20 })
    const slice = await worker.take()
    await ledger.database.query(
      `update sluice.slices set lease_until = clock_timestamp() - interval '1 h';
       update sluice.runs set seen_at = seen_at - interval '1 h'`,
    )
    await until(
      async () =>
        (
          await ledger.database.query(
            `select from sluice.slices join sluice.runs as r on r.id = run
              where lease_until > clock_timestamp() and seen_at > clock_timestamp() - interval '1 min'
                and slices.id = $1`,
            [slice.id],
          )
        ).length === 1,
    )
    expect((await readRun(ledger.database, worker.run))?.status).toBe('running')
  })

  test('does not wait for a slice that is being committed', async () => {
    await using ledger = await openLedger()
    await using worker = await ledger.worker({ renewEveryMs: 20 })
    const [one, two] = [await worker.take({ stream: 'one' }), await worker.take({ stream: 'two' })]
    await using transaction = await ledger.database.transaction()
    await transaction.query('select from sluice.slices where id = $1 for update', [one.id])
    await ledger.database.query(
      `update sluice.slices set lease_until = clock_timestamp() - interval '1 h' where id = $1`,
      [two.id],
    )
    await until(async () => (await readSlice(ledger.database, two.id))!.isHeld)
    expect((await readSlice(ledger.database, one.id))?.isHeld).toBe(true)
  })

  test('tells once that a slice was taken or closed', async () => {
    await using ledger = await openLedger()
    const lost: string[] = []
    await using worker = await ledger.worker({ renewEveryMs: 20, onLost: (id) => lost.push(id) })
    const slice = await worker.take()
    {
      await using transaction = await ledger.database.transaction()
      await closeSlices(transaction, slice, 'by hand')
      await transaction.commit()
    }
    await until(async () => lost.length > 0)
    expect(lost).toEqual([slice.id])
  })

  test('gets another connection when its own dies, and renews under the new name', async () => {
    await using ledger = await openLedger()
    const pidsAtError: (number | null)[] = []
    await using worker = await ledger.worker({ onError: () => pidsAtError.push(worker.keeper.session.pid) })
    await using other = await openWorker(ledger.database)
    const slice = await worker.take()
    const { pid } = worker.keeper.session
    await ledger.database.query('select pg_terminate_backend($1)', [pid])
    await until(async () => worker.keeper.session.pid !== null && worker.keeper.session.pid !== pid)
    await until(async () => (await readSlice(ledger.database, slice.id))!.isHeld)
    expect((await other.claim())?.busy).toMatchObject({ pid: worker.keeper.session.pid })
    expect(pidsAtError).toEqual([null])
    await commit(ledger.database, slice, 0, batch(1))
  })

  test('lets go of what it still holds when it is closed, though no session would tell', async () => {
    await using ledger = await openLedger()
    await using other = await openWorker(ledger.database)
    const worker = await ledger.worker()
    const slice = await worker.take()
    await ledger.database.query('update sluice.slices set lease_pid = null, lease_started = null')
    await worker.keeper[Symbol.asyncDispose]()
    expect((await other.claim())?.slice).toMatchObject({ id: slice.id })
  })

  test.each([
    ['with', true],
    ['without', false],
  ] as const)('closes though its server does not answer any more, %s something to say', async (_, hasEvent) => {
    await using ledger = await openLedger()
    await using proxy = await PgProxy.open({ port: Number(new URL(ledger.url).port) })
    await using database = await openDatabase({ url: proxy.through(ledger.url) })
    const worker = await openWorker(database, { finalFlushMs: 100 })
    proxy.freeze()
    if (hasEvent) worker.keeper.emit(worker.run, { type: 'warning', message: 'unheard' })
    await expect(worker.keeper[Symbol.asyncDispose]()).resolves.toBeUndefined()
    proxy.thaw()
  })
})
