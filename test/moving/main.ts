// Reads lists that move while they are read, by seed: `npm run moving`, or one of them: `npm run moving -- --seed 17`.
import { parseArgs } from 'node:util'
import { trySeed, type Outcome } from './check.ts'

const { values: options } = parseArgs({
  options: {
    /** Only this one, with its log. */
    seed: { type: 'string' },
    /** The first seed and how many. */
    from: { type: 'string', default: '1' },
    count: { type: 'string', default: '10000' },
    /** Only seeds that append rows without a key, by offsets that overlap. */
    appended: { type: 'boolean', default: false },
    /** Only seeds that read everything of a list in which records change their places. */
    reordered: { type: 'boolean', default: false },
    /** Stop after so many broken promises. */
    enough: { type: 'string', default: '5' },
  },
})

const onlyReordered = options.reordered ? 'reordered' : undefined
const mix = options.appended ? 'appended' : onlyReordered

function show({ seed, scenario, log, problem, grades, requests }: Outcome): void {
  console.log(`seed ${seed}: ${JSON.stringify(scenario)}`)
  for (const line of log) console.log(`  ${line}`)
  console.log(`  ${requests} requests, ${grades.join(', ')}`)
  console.log(problem === undefined ? '  every promise held' : `BROKEN seed ${seed}: ${problem}`)
}

if (options.seed !== undefined) {
  const outcome = await trySeed(Number(options.seed), { mix })
  show(outcome)
  process.exitCode = outcome.problem === undefined ? 0 : 1
} else {
  const started = performance.now()
  const grades = new Map<string, Record<string, number>>()
  let broken = 0
  let tried = 0
  const first = Number(options.from)
  for (let seed = first; seed < first + Number(options.count) && broken < Number(options.enough); seed++) {
    const outcome = await trySeed(seed, { mix })
    tried++
    if (outcome.problem !== undefined) {
      broken++
      show(outcome)
    }
    const { kind, isIncremental, overlap } = outcome.scenario
    const paginator = kind === 'offset' && !overlap ? 'offset without overlap' : kind
    const name = `${paginator}, ${isIncremental ? 'incremental' : 'full'}`
    const counts = grades.get(name) ?? {}
    for (const grade of outcome.grades) counts[grade] = (counts[grade] ?? 0) + 1
    counts['requests'] = (counts['requests'] ?? 0) + outcome.requests
    grades.set(name, counts)
  }
  for (const [name, counts] of [...grades].toSorted(([a], [b]) => a.localeCompare(b)))
    console.log(`${name.padEnd(42)}${JSON.stringify(counts)}`)
  const seconds = ((performance.now() - started) / 1_000).toFixed(1)
  console.log(`${tried} seeds in ${seconds} s: ${broken === 0 ? 'every promise held' : `${broken} broken promises`}`)
  process.exitCode = broken === 0 ? 0 : 1
}
