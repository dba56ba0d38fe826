import { setTimeout as sleep } from 'node:timers/promises'
import { Database } from '../../src/database/database.ts'
import { readWorkers } from '../../src/ledger/workers.ts'
import type { Databases } from '../kill/databases.ts'
import type { Hosts } from './hosts.ts'
import { backfillWords, must, openApi, Place } from './place.ts'
import type { Sizes } from './source.ts'

export interface ThroughputOptions {
  readonly hosts: Hosts
  readonly databases: Pick<Databases, 'create'>
  /** Workers of each measurement. */
  readonly workers: readonly number[]
  readonly latency: number
  /** Windows, and pages of each. */
  readonly windows: number
  readonly pages: number
}

/** Windows that a worker reads at once. Few, so that the latency of the API decides and not the processors. */
const AT_ONCE = 2
const PAGE_SIZE = 10

/**
 * Measures how much faster several workers read the same windows. Returns the milliseconds from the first request to
 * the last answer, by the API's clock, for each number of workers.
 */
export async function throughput(options: ThroughputOptions): Promise<number[]> {
  const measured: number[] = []
  for (const count of options.workers) measured.push(await measure(count, options))
  return measured
}

async function measure(
  count: number,
  { hosts, databases, latency, windows, pages }: ThroughputOptions,
): Promise<number> {
  const sizes: Sizes = { records: windows * pages * PAGE_SIZE, windows, accounts: 0, pageSize: PAGE_SIZE }
  await using database = await databases.create()
  await using api = await openApi({ ...sizes, host: hosts.gateway, latency, budget: 0, periodMs: 1_000, delayMs: 0 })
  await using place = new Place({ hosts, database: database.url, api: api.url, sizes })
  for (let n = 0; n < count; n += 1) place.worker(n, AT_ONCE)
  await workersAlive(database.url, count)
  const backfill = place.start('backfill', [...backfillWords(sizes), '--distribute', '--json'])
  const code = await backfill.ended
  must(code === 0, `a backfill with ${count} workers ends with 0, and not ${code}\n${backfill.text}`)
  await using ledger = new Database({ url: database.url, max: 1 })
  const { rows } = await ledger.one<{ rows: string }>('select count(*) as rows from t.entries')
  must(Number(rows) === sizes.records, `${count} workers store ${sizes.records} rows, and not ${rows}`)
  const { ms, hosts: asked } = await api.seen()
  must(hosts.lack !== undefined || Object.keys(asked).length === count, `${count} hosts have asked the API`)
  return ms
}

/** Waits until the ledger knows so many workers. */
export async function workersAlive(url: string, count: number): Promise<void> {
  await using database = new Database({ url, max: 1 })
  const until = Date.now() + 120_000
  while ((await readWorkers(database)).length < count) {
    must(Date.now() < until, `${count} workers are alive after 120 s`)
    await sleep(200)
  }
}
