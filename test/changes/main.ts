// Tables beside an API whose records are created, changed, deleted and brought back, by seed: `npm run changes`, or one
// of them with its log: `npm run changes -- --seed 17`.
import { parseArgs } from 'node:util'
import setup, { shared } from '../support/jest/global-setup.ts'
import { testDatabase } from '../support/database.ts'
import { Random } from '../moving/random.ts'
import { installFuses } from './fuses.ts'
import { kindOf, scenarioOf } from './scenario.ts'
import { trySeed, type Outcome } from './try-seed.ts'

const { values: options } = parseArgs({
  options: {
    /** Only this one, with its log. */
    seed: { type: 'string' },
    /** The first seed and how many. */
    from: { type: 'string', default: '1' },
    count: { type: 'string', default: '5000' },
    /** Only seeds of which the kind has these words, such as `history` or `with lists`. */
    only: { type: 'string', default: '' },
    /** Seeds at once, each in a database of its own. */
    'at-once': { type: 'string', default: '3' },
    /** Stop after so many broken promises. */
    enough: { type: 'string', default: '5' },
  },
})

/** Seeds of one database: what they leave in it must not make the later ones slower. */
const PER_DATABASE = 100

const chosen = [
  ...(options.seed === undefined ? seedsFrom(Number(options.from), Number(options.count)) : [Number(options.seed)]),
]
const counts = new Map<string, { seeds: number; runs: number }>()
let broken = 0
let tried = 0
const started = performance.now()

function* seedsFrom(first: number, count: number): Generator<number> {
  for (let seed = first; seed < first + count; seed++)
    if (kindOf(scenarioOf(new Random(seed))).includes(options.only)) yield seed
}

function show({ seed, scenario, log, problem }: Outcome): void {
  console.log(`seed ${seed}: ${JSON.stringify(scenario)}`)
  for (const line of log) console.log(`  ${line}`)
  console.log(problem === undefined ? '  every promise held' : `BROKEN seed ${seed}: ${problem}`)
}

function note(outcome: Outcome): void {
  const { scenario, problem, runs } = outcome
  tried++
  if (problem !== undefined) broken++
  if (problem !== undefined || options.seed !== undefined) show(outcome)
  const count = counts.get(kindOf(scenario)) ?? { seeds: 0, runs: 0 }
  counts.set(kindOf(scenario), { seeds: count.seeds + 1, runs: count.runs + runs })
}

async function tryInTurn(seeds: Iterator<number, void>): Promise<void> {
  for (let next = seeds.next(); !next.done && broken < Number(options.enough);) {
    await using target = await testDatabase()
    await installFuses(target.database)
    for (let left = PER_DATABASE; left > 0 && !next.done && broken < Number(options.enough); left--) {
      note(await trySeed(next.value, target))
      next = seeds.next()
    }
  }
}

await setup()
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    summarize()
    void shared.stop?.().finally(() => process.exit(130))
  })
try {
  const seeds = chosen.values()
  await Promise.all(Array.from({ length: Number(options['at-once']) }, () => tryInTurn(seeds)))
  summarize()
  process.exitCode = broken === 0 ? 0 : 1
} finally {
  await shared.stop?.()
}

function summarize(): void {
  const seconds = ((performance.now() - started) / 1_000).toFixed(1)
  for (const [kind, { seeds: some, runs }] of [...counts].toSorted(([a], [b]) => a.localeCompare(b)))
    console.log(`${kind.padEnd(44)}${some} seeds, ${runs} runs`)
  console.log(`${tried} seeds in ${seconds} s: ${broken === 0 ? 'every promise held' : `${broken} broken promises`}`)
}
