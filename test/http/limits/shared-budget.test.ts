import { expect, test } from '@jest/globals'
import { sharedBudget } from '../../../src/http/limits/shared-budget.ts'
import type { Limits, SharedRate } from '../../../src/model/rate.ts'

const turn = (): Promise<void> => new Promise(setImmediate)

test('however often others tell something, one reading is under way, and one comes after it', async () => {
  const readings: ((limits: Limits) => void)[] = []
  const hearing: (() => void)[] = []
  const shared: SharedRate = {
    grant: () => Promise.reject(new Error('nothing is to be granted')),
    report: () => Promise.resolve(),
    read: () => new Promise((resolve) => readings.push(resolve)),
    subscribe: (hear) => {
      hearing.push(hear)
      return { [Symbol.dispose]: () => {} }
    },
  }
  await using budget = sharedBudget(undefined, { shared, now: () => new Date(), name: 'api', warn: () => {} })
  const taken = budget.acquire(1, { signal: new AbortController().signal })
  await turn()
  readings[0]!({})
  await taken
  for (let times = 0; times < 100; times += 1) {
    hearing[0]!()
    await turn()
  }
  expect(readings.length).toBe(2)
  readings[1]!({})
  await turn()
  expect(readings.length).toBe(3)
  readings[2]!({})
  await turn()
  expect(readings.length).toBe(3)
})
