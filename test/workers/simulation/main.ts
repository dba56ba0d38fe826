// Many workers in one process, with the real queue and ledger on a real PostgreSQL, and work that only takes time.
// Prints what the database does, and what gives way first. `npm run workers-simulation`.
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Database } from '../../../src/database/database.ts'
import type { RateLimits } from '../../../src/index.ts'
import { LeaseKeeper } from '../../../src/ledger/lease/lease-keeper.ts'
import { WORK_CHANNEL, WorkQueue } from '../../../src/queue/queue.ts'
import { backfillDistributed } from '../../../src/run/distribute/backfill-distributed.ts'
import { Databases } from '../../kill/databases.ts'
import { Postgres } from '../../kill/postgres.ts'
import { flow } from './flow.ts'
import { Observer } from './observe.ts'
import { Timings } from './timings.ts'
import { register, work, type SimulatedProcess, type SimulatedWorkerOptions } from './worker.ts'

const { values: options } = parseArgs({
  options: {
    workers: { type: 'string', default: '1000' },
    windows: { type: 'string', default: '100000' },
    /** Groups of workers that share a pool and the connection of the leases, as processes do. */
    processes: { type: 'string', default: '20' },
    /** Connections of each pool. */
    pool: { type: 'string', default: '4' },
    /** Milliseconds that a window takes on average. */
    work: { type: 'string', default: '2000' },
    /** The shared rate of the API, such as 1000/s. '' for none. */
    rate: { type: 'string', default: '2000/s' },
    /** Seconds after which it ends, done or not. */
    seconds: { type: 'string', default: '900' },
  },
})
const workers = Number(options.workers)
const windows = Number(options.windows)
const processes = Math.min(workers, Number(options.processes))
const began = performance.now()
const tell = (line: string): void =>
  console.log(`${((performance.now() - began) / 1_000).toFixed(1).padStart(6)} s  ${line}`)

await using postgres = await Postgres.open({
  settings: {
    autovacuum: 'on',
    max_wal_size: '1GB',
    shared_preload_libraries: 'pg_stat_statements',
    'pg_stat_statements.track': 'all',
    max_connections: String(processes * (Number(options.pool) + 2) + 60),
  },
})
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void Postgres.stopAll().finally(() => process.exit(130)))
await using databases = await Databases.open(postgres.url)
await using place = await databases.create()
const { url } = place
await using ledger = new Database({ url, max: 2 })
const stop = new AbortController()
const { signal } = stop
const timings = new Timings()

/** What one process of workers has. */
async function open(resources: AsyncDisposableStack): Promise<SimulatedProcess> {
  const database = resources.use(new Database({ url, max: Number(options.pool) }))
  const queue = resources.use(
    await WorkQueue.open(database, { supervise: true, onError: (error) => tell(String(error)) }),
  )
  const keeper = resources.use(await LeaseKeeper.open(database))
  let wake = Promise.withResolvers<void>()
  resources.use(
    keeper.subscribe(WORK_CHANNEL, () => {
      wake.resolve()
      wake = Promise.withResolvers()
    }),
  )
  return { database, queue, keeper, woken: () => wake.promise }
}

await using resources = new AsyncDisposableStack()
const opened: SimulatedProcess[] = []
for (let n = 0; n < processes; n += 1) opened.push(await open(resources))
const all = Array.from({ length: workers }, (_, n): SimulatedWorkerOptions => ({
  ...opened[n % processes]!,
  name: `simulated ${n + 1}`,
  workMs: Number(options.work),
  rate: options.rate === '' ? undefined : (options.rate as RateLimits),
  timings,
  signal,
}))
await Promise.all(all.map(register))
tell(`${workers} workers in ${processes} processes are alive`)

const observer = new Observer(ledger)
await observer.begin()
const running = all.map(work)
const failed = Promise.all(running)
const start = Date.UTC(2010, 0, 1)
const backfill = backfillDistributed(flow, {
  database: url,
  from: new Date(start).toISOString(),
  to: new Date(start + windows * 3_600_000).toISOString(),
  window: '1h',
  signal,
  onNote: tell,
})

const done = async (): Promise<number> =>
  Number(
    (
      await ledger.one<{ done: string }>(
        `select count(*) as done from sluice.slices where kind = 'backfill' and status = 'done'`,
      )
    ).done,
  )

async function watch(): Promise<never> {
  let before = 0
  for (let looks = 1; ; looks += 1) {
    await sleep(500, undefined, { signal })
    await observer.sample()
    if (looks % 30 !== 0) continue
    const now = await done()
    const waiting = opened.reduce((sum, { database }) => sum + database.waiting, 0)
    tell(
      `${now} windows done, ${((now - before) / 15).toFixed(0)} a second; ${waiting} statements wait for a connection`,
    )
    before = now
  }
}

const ended = await Promise.race([
  backfill,
  watch(),
  failed.then(() => undefined),
  sleep(Number(options.seconds) * 1_000).then(() => undefined),
])
tell(
  ended === undefined
    ? `ended by its time, with ${await done()} of ${windows} windows done`
    : `the backfill is ${ended.status}: ${JSON.stringify(ended.streams['rows']?.backfill?.windows)}`,
)
for (const line of [...(await observer.lines()), ...timings.lines()]) console.log(`          ${line}`)
const { connections } = await ledger.one<{ connections: string }>(
  'select count(*) as connections from pg_stat_activity where datname = current_database()',
)
tell(`${connections} connections`)
stop.abort(new Error('the simulation has ended'))
await Promise.allSettled([...running, backfill])
