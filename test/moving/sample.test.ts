import { expect, test } from '@jest/globals'
import { trySeed } from './check.ts'

// `npm run moving` reads 10,000 of them; here is a sample, another one for another seed: SLUICE_MOVING_SEED=7 npm run
// jest -- test/moving
const first = Number(process.env['SLUICE_MOVING_SEED'] ?? 1)

test('no reading of a list that moves misses a record and does not say so, and none stores a row twice', async () => {
  const broken: string[] = []
  for (let seed = first; seed < first + 500; seed++) {
    const { problem } = await trySeed(seed)
    if (problem !== undefined) broken.push(`npm run moving -- --seed ${seed}: ${problem}`)
  }
  expect(broken).toEqual([])
}, 240_000)
