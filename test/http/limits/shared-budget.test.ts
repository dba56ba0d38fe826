import { expect, test } from '@jest/globals'
import { sharedBudget } from '../../../src/http/limits/shared-budget.ts'
import type { KnownLimits, SharedRate } from '../../../src/model/rate.ts'

const turn = (): Promise<void> => new Promise(setImmediate)

test('many notifications cause one read at a time, and at most one more', async () => {
  const reads: ((limits: KnownLimits) => void)[] = []
  const listeners: (() => void)[] = []
  const shared: SharedRate = {
    grant: () => Promise.reject(new Error('no grant was expected')),
    report: () => Promise.resolve(),
    read: () => new Promise((resolve) => reads.push(resolve)),
    subscribe: (listener) => {
      listeners.push(listener)
      return { [Symbol.dispose]: () => {} }
    },
  }
  await using budget = sharedBudget(undefined, { shared, now: () => new Date(), origin: 'api', warn: () => {} })
  const taken = budget.acquire(1, { signal: new AbortController().signal })
  await turn()
  reads[0]?.({ waits: [] })
  await taken
  for (let times = 0; times < 100; times += 1) {
    listeners[0]?.()
    await turn()
  }
  expect(reads.length).toBe(2)
  reads[1]?.({ waits: [] })
  await turn()
  expect(reads.length).toBe(3)
  reads[2]?.({ waits: [] })
  await turn()
  expect(reads.length).toBe(3)
})

test('without a declared rate, a lease of the requests that the API has stated lasts a second', async () => {
  const asked: number[] = []
  const shared: SharedRate = {
    grant: ({ validMs }) => {
      asked.push(validMs)
      return Promise.resolve({ lease: undefined, requests: 1, waitMs: 0, isBlocked: false })
    },
    report: () => Promise.resolve(),
    read: () => Promise.resolve({ waits: [], remaining: { requests: 3, ms: 60_000 } }),
    subscribe: () => ({ [Symbol.dispose]: () => {} }),
  }
  {
    await using budget = sharedBudget(undefined, { shared, now: () => new Date(), origin: 'api', warn: () => {} })
    await budget.acquire(1, { signal: new AbortController().signal })
  }
  expect(asked[0]).toBe(1_000)
})
