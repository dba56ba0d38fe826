import { scenarioOfSeed, trySeed } from '../../moving/check.ts'
import { Random } from '../../moving/random.ts'
import type { Scenario } from '../../moving/scenario.ts'
import { BrokenPromise } from '../broken-promise.ts'
import type { Context, Job } from '../job.ts'
import { MovingReader } from '../moving-reader.ts'
import type { Write } from '../rig.ts'

/**
 * Lists that move while they are read, by seed as in `npm run moving`. The runs that read them are killed and resumed
 * while the list moves on: a reading that has missed a record is open, and no row is stored twice.
 */
export const moving = ({ databases }: Pick<Context, 'databases'>, count: number): Job[] =>
  Array.from({ length: count }, (_, at) => at + 1).map((seed) => ({
    driver: 'moving',
    name: `a list that moves, seed ${seed}`,
    write: writeOf(scenarioOfSeed(seed, new Random(seed))),
    run: async () => {
      let reader: MovingReader | undefined
      try {
        const { problem, log, scenario } = await trySeed(seed, {
          isRealTime: true,
          read: async (scenario, api, random) => {
            reader ??= await MovingReader.open(databases, api)
            return reader.read(scenario, random)
          },
        })
        if (problem === undefined) return undefined
        throw new BrokenPromise(`${problem}\n  ${JSON.stringify(scenario)}\n  ${log.join('\n  ')}`)
      } finally {
        await reader?.[Symbol.asyncDispose]()
      }
    },
  }))

const writeOf = ({ write }: Scenario): Write => (write === 'append by key' ? 'append' : write)
