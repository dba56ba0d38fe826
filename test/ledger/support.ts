import { NO_COUNTS } from '../../src/model/counts.ts'
import { jest } from '@jest/globals'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '../../src/database/database.ts'
import { advanceSql, restartSql } from '../../src/ledger/slices/transitions.ts'
import { claim, type ClaimOptions } from '../../src/ledger/slices/claim.ts'
import { restartedSlice, type HeldSlice, type Restart } from '../../src/ledger/slices/held-slice.ts'
import { LeaseKeeper, type LeaseKeeperOptions } from '../../src/ledger/lease/lease-keeper.ts'
import { startRun } from '../../src/ledger/runs.ts'
import type { Advance } from '../../src/model/batch.ts'
import { readSlices, type StoredSlice } from '../../src/ledger/read/read-slices.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'

// Others may use the machine at the same time.
jest.setTimeout(30_000)

export const signal = new AbortController().signal

export const none = NO_COUNTS

/** A batch of `rows` new rows. */
export const batch = (rows: number, rest: Partial<Advance> = {}): Advance => ({
  position: { page: rows },
  rejects: [],
  counts: { ...none, fetched: rows, inserted: rows },
  ...rest,
})

/** A process with its keeper, and a run of it. */
export interface Worker extends AsyncDisposable {
  readonly run: string
  readonly keeper: LeaseKeeper
  claim: (options?: Partial<ClaimOptions>) => ReturnType<typeof claim>
  /** A claim that has to succeed. */
  take: (options?: Partial<ClaimOptions>) => Promise<HeldSlice>
}

/** A ledger with a table `public.rows (n)` for what is loaded. */
export async function openLedger(
  options: Parameters<typeof testDatabase>[0] = {},
): Promise<TestDatabase & { worker: (options?: LeaseKeeperOptions) => Promise<Worker> }> {
  const test = await testDatabase(options)
  await test.database.query('create table public.rows (n bigint)')
  return { ...test, worker: (keeping) => openWorker(test.database, keeping) }
}

export async function openWorker(database: Database, keeping: LeaseKeeperOptions = {}): Promise<Worker> {
  const keeper = await LeaseKeeper.open(database, keeping)
  const run = await startRun(database, { kind: 'sync', pipeline: 'forum', keeper, signal })
  const options = { run, keeper, pipeline: 'forum', stream: 'posts', definition: 'd1', hasCursor: true, signal }
  return {
    run,
    keeper,
    claim: (more) => claim(database, { ...options, ...more }),
    take: async (more) => {
      const claimed = await claim(database, { ...options, ...more })
      if (!claimed?.slice) throw new Error(`Not claimed: ${JSON.stringify(claimed)}`)
      return claimed.slice
    },
    [Symbol.asyncDispose]: () => keeper[Symbol.asyncDispose](),
  }
}

/** One batch as `run` sends it: rows first, then advance and commit in one query. */
export async function commit(database: Database, slice: HeldSlice, seq: number, advance: Advance): Promise<void> {
  await using transaction = await database.transaction()
  if (advance.counts.inserted > 0)
    await transaction.query('insert into public.rows select generate_series(1, $1::int)', [advance.counts.inserted])
  await transaction.commit(advanceSql(slice, seq, advance))
}

export async function stored(database: Database): Promise<number> {
  const [row] = await database.query<{ count: string }>('select count(*) from public.rows')
  return Number(row!.count)
}

/**
 * Wait for what another task does, however busy the machine is; one that never does it must not hold the tests up for
 * ever.
 */
export async function until(isSo: () => Promise<boolean>): Promise<void> {
  const last = performance.now() + 25_000
  while (!(await isSo())) {
    if (performance.now() > last) throw new Error(`Not so after 25 s: ${isSo.toString()}`)
    await sleep(10)
  }
}

/** Returns the statement that restarts a slice, and the slice after it. */
export function restart(
  slice: HeldSlice,
  seq: number,
  to?: Restart,
): { readonly sql: string; readonly slice: HeldSlice } {
  const { definition, since, until, cursor } = to ?? slice
  const range = { definition, since, until, cursor }
  return { sql: restartSql(slice, seq, range), slice: restartedSlice(slice, range) }
}

/** Returns a slice by its id. */
export const readSlice = async (database: Database, id: string): Promise<StoredSlice | undefined> =>
  (await readSlices(database, { limit: 1_000 })).find((slice) => slice.id === id)

/** Returns the error that a failed call rejected with. */
export const failure = async (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => undefined,
    (error: unknown) => error,
  )
