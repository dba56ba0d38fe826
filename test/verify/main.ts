// Proves that `verify` finds 100 faults in the rows of a table, repairs those that a run may repair, and asks the API
// for less than 5 % of a full reading. `npm run verify-proof`, or with `-- --rows 100000`.
import { parseArgs } from 'node:util'
import { Databases } from '../kill/databases.ts'
import { Postgres } from '../kill/postgres.ts'
import { prove } from './proof.ts'

const { values: options } = parseArgs({
  options: { rows: { type: 'string', default: '1000000' }, seed: { type: 'string', default: '1' } },
})
const began = performance.now()
const tell = (line: string): void =>
  console.log(`${((performance.now() - began) / 1_000).toFixed(1).padStart(6)} s  ${line}`)

await using postgres = await Postgres.open()
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void Postgres.stopAll().finally(() => process.exit(130)))
await using databases = await Databases.open(postgres.url)
await using database = await databases.create()
await prove(database.url, { rows: Number(options.rows), seed: Number(options.seed) }, tell)
tell('all of it holds')
