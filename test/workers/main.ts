// Proves that four workers on four hosts read everything once, whatever befalls them, and measures how much faster more
// workers are. `npm run workers-proof`.
import { parseArgs } from 'node:util'
import { Databases } from '../kill/databases.ts'
import { Postgres } from '../kill/postgres.ts'
import { killAll } from '../kill/sluice.ts'
import { Hosts } from './hosts.ts'
import { prove } from './proof.ts'
import { throughput } from './throughput.ts'

const { values: options } = parseArgs({
  options: {
    records: { type: 'string', default: '2000000' },
    windows: { type: 'string', default: '1096' },
    accounts: { type: 'string', default: '50' },
    'page-size': { type: 'string', default: '500' },
    latency: { type: 'string', default: '50' },
    /** Requests for entries, and for items, that the API admits in ten seconds. */
    budget: { type: 'string', default: '100' },
    /** Seconds for which a worker is stopped, and for which another one is cut off. */
    stopped: { type: 'string', default: '120' },
    cut: { type: 'string', default: '90' },
    /** Windows and pages of the measurement; 0 windows leave it out. */
    'measured-windows': { type: 'string', default: '64' },
    'measured-pages': { type: 'string', default: '20' },
    /** Only the measurement. */
    unproven: { type: 'boolean', default: false },
  },
})
const number = (name: Exclude<keyof typeof options, 'unproven'>): number => Number(options[name])
const began = performance.now()
const tell = (line: string): void =>
  console.log(`${((performance.now() - began) / 1_000).toFixed(1).padStart(6)} s  ${line}`)

await using hosts = await Hosts.open(4)
if (hosts.lack !== undefined)
  tell(`no network namespaces (${hosts.lack}): the workers are processes of this host, and none is cut off`)
await using postgres = await Postgres.open({ admitted: hosts.range, settings: { max_wal_size: '1GB' } })
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    killAll()
    void Promise.all([Postgres.stopAll(), hosts[Symbol.asyncDispose]()]).finally(() => process.exit(130))
  })
await using databases = await Databases.open(postgres.url)
const empty = await databases.copiesOf(async () => {})
if (!options.unproven) {
  await using database = await empty.create()
  await prove({
    hosts,
    postgres,
    tell,
    database: database.url,
    records: number('records'),
    windows: number('windows'),
    accounts: number('accounts'),
    pageSize: number('page-size'),
    latency: number('latency'),
    budget: number('budget'),
    periodMs: 10_000,
    delayMs: 500,
    stoppedMs: number('stopped') * 1_000,
    cutMs: number('cut') * 1_000,
  })
  tell('all of it holds')
}
if (number('measured-windows') > 0) {
  const workers = [1, 2, 4]
  const [windows, pages, latency] = [number('measured-windows'), number('measured-pages'), number('latency')]
  const times = await throughput({ hosts, databases: empty, workers, windows, pages, latency })
  for (const [n, ms] of times.entries())
    tell(
      `${workers[n]} workers: ${(ms / 1_000).toFixed(1)} s for ${windows * pages} pages with ${latency} ms ` +
        `of latency, ${(times[0]! / ms).toFixed(2)} times as fast as one`,
    )
  // A busy machine measures itself, so this fails nothing.
  tell(times[0]! / times[1]! >= 1.9 && times[0]! / times[2]! >= 3.6 ? 'as asked: 1.9 and 3.6' : 'less than 1.9 or 3.6')
}
