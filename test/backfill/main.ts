// Proves a backfill of 1,096 days over an API of 500,000 records with 50 ms of latency, killed 20 times beside live
// runs. `npm run backfill-proof`.
import { parseArgs } from 'node:util'
import { Databases } from '../kill/databases.ts'
import { Postgres } from '../kill/postgres.ts'
import { measure, openApi, prove, type ProofSettings } from './proof.ts'

const { values: options } = parseArgs({
  options: {
    records: { type: 'string', default: '500000' },
    days: { type: 'string', default: '1096' },
    latency: { type: 'string', default: '50' },
    kills: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    /** Leave out the comparison of many at once with one at a time. */
    unmeasured: { type: 'boolean', default: false },
  },
})
const settings: ProofSettings = {
  records: Number(options.records),
  days: Number(options.days),
  latency: Number(options.latency),
  kills: Number(options.kills),
  seed: Number(options.seed),
  pageSize: 200,
  changes: 0.3,
  atOnce: 8,
  liveEvery: 3_000,
}
const tell = (line: string): void =>
  console.log(`${((performance.now() - began) / 1_000).toFixed(1).padStart(6)} s  ${line}`)
const began = performance.now()

await using postgres = await Postgres.open()
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void Postgres.stopAll().finally(() => process.exit(130)))
await using databases = await Databases.open(postgres.url)
await using proven = await databases.create()
await prove(proven.url, settings, tell)
if (!options.unmeasured) {
  await using api = await openApi({ ...settings, changes: 0 })
  await using many = await databases.create()
  const eight = await measure(many.url, api.url, settings, settings.atOnce)
  tell(`${settings.atOnce} at once: ${(eight / 1_000).toFixed(1)} s`)
  await using single = await databases.create()
  const one = await measure(single.url, api.url, settings, 1)
  tell(
    `one at a time: ${(one / 1_000).toFixed(1)} s; ` +
      `${settings.atOnce} at once take ${((100 * eight) / one).toFixed(0)} % of it`,
  )
  if (eight > one / 4)
    throw new Error(`Not so: ${settings.atOnce} at once take at most a quarter of the time of one at a time`)
}
tell('all of it holds')
