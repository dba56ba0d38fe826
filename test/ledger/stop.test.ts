import { describe, expect, test } from '@jest/globals'
import { openLedger, until } from './support.ts'

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
