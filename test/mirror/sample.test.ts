import { expect, test } from '@jest/globals'
import { testDatabase } from '../support/database.ts'
import { trySeed } from './simulate.ts'

// Seeds with resumed readings, refused deletions, open readings, backfills and rows by hand. Others:
// SLUICE_MIRROR_SEED=1 SLUICE_MIRROR_SEEDS=1000 npm run jest -- test/mirror
const SAMPLE = [15, 25, 34, 35]
const count = Number(process.env['SLUICE_MIRROR_SEEDS'] ?? 0)
const first = Number(process.env['SLUICE_MIRROR_SEED'] ?? 1)
const seeds = count === 0 ? SAMPLE : Array.from({ length: count }, (_, index) => first + index)

test('a mirror deletes nothing that the source has throughout, and leaves nothing that was gone before', async () => {
  await using target = await testDatabase()
  const broken: string[] = []
  for (const seed of seeds) {
    const { problem, log, scenario } = await trySeed(seed, target)
    if (problem !== undefined) broken.push([`seed ${seed}: ${problem}`, JSON.stringify(scenario), ...log].join('\n'))
    if (broken.length === 3) break
  }
  expect(broken).toEqual([])
}, 7_200_000)
