import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { urlOf } from '../support/database.ts'
import { carryOut } from './carry-out.ts'
import { Databases } from './databases.ts'
import { apiFaults } from './drivers/api-faults.ts'
import { deletions } from './drivers/deletions.ts'
import { everyMessage } from './drivers/every-message.ts'
import { lostCommits } from './drivers/lost-commits.ts'
import { moving } from './drivers/moving.ts'
import { ranges } from './drivers/ranges.ts'
import { sampled, seeded, type Context, type Job } from './job.ts'
import { WRITES } from './rig.ts'
import { messageOf } from '../../src/value/error.ts'

// `npm run kill` is all of it; here is a sample, another one for another seed: SLUICE_KILL_SEED=7 npm run jest --
// test/kill
const seed = Number(process.env['SLUICE_KILL_SEED'] ?? 1)
let context: Context
let databases: Databases

beforeAll(async () => {
  databases = await Databases.open(urlOf('postgres'))
  context = { databases, random: seeded(seed) }
}, 30_000)
afterAll(() => databases[Symbol.asyncDispose]())

async function broken(jobs: readonly Job[], { succeed = false } = {}): Promise<string[]> {
  const { failures } = await carryOut(jobs, { atOnce: 2, succeed })
  return failures.map(({ job, error }) => `${job.write}, ${job.name} (seed ${seed}): ${messageOf(error)}`)
}

describe('a run that is killed', () => {
  // What a mirror does besides a merge, test/mirror interrupts.
  test.each(WRITES.filter((write) => write !== 'mirror'))(
    'loses nothing and doubles nothing, wherever it was: %s',
    async (write) => {
      const jobs = sampled(await everyMessage(context, write), 2, context.random)
      expect(await broken(jobs, { succeed: true })).toEqual([])
    },
    120_000,
  )

  test('leaves no commit behind that counts after another has taken over', async () => {
    expect(
      await broken(
        sampled(
          lostCommits(context).filter(({ name }) => name.includes('taken over')),
          2,
          context.random,
        ),
      ),
    ).toEqual([])
  }, 120_000)
})

describe('a run that lives on', () => {
  test('stores each batch once, though commits and their answers are lost', async () => {
    expect(
      await broken(
        sampled(
          lostCommits(context).filter(({ name }) => !name.includes('taken over')),
          2,
          context.random,
        ),
      ),
    ).toEqual([])
  }, 120_000)

  test('overcomes an API that fails', async () => {
    expect(await broken(sampled(apiFaults(context), 2, context.random))).toEqual([])
  }, 120_000)
})

test('a run that is killed while its list moves misses nothing in silence, and resumes without doubles', async () => {
  expect(await broken(sampled(moving(context, 300), 2, context.random))).toEqual([])
}, 120_000)

test('a run that is killed while it reads ranges at once leaves a cursor that is true, and resumes them', async () => {
  expect(await broken(sampled(await ranges(context), 2, context.random), { succeed: true })).toEqual([])
}, 120_000)

test('a run that is killed while records go has deleted, marked and closed what it has committed, once', async () => {
  const jobs = sampled(await deletions(context, seed % 2 === 0 ? 'missing' : 'announced'), 1, context.random)
  expect(await broken(jobs)).toEqual([])
}, 240_000)
