import { expect, test } from '@jest/globals'
import { testDatabase } from '../support/database.ts'
import { installFuses } from './fuses.ts'
import { trySeed } from './try-seed.ts'

// `npm run changes` tries 5,000 of them; here is a sample, another one for another seed:
// SLUICE_CHANGES_SEED=7 npm run jest -- test/changes
const first = Number(process.env['SLUICE_CHANGES_SEED'] ?? 1)

test('a table equals the API that it is kept in step with, and a history its past, whatever has happened', async () => {
  await using target = await testDatabase()
  await installFuses(target.database)
  const broken: string[] = []
  for (let seed = first; seed < first + 3; seed++) {
    const { problem } = await trySeed(seed, target)
    if (problem !== undefined) broken.push(`npm run changes -- --seed ${seed}: ${problem}`)
  }
  expect(broken).toEqual([])
}, 240_000)
