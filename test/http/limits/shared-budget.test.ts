import { expect, test } from '@jest/globals'
import { openClient } from '../../../src/http/client.ts'
import { sharedBudget } from '../../../src/http/limits/shared-budget.ts'
import type { KnownLimits, SharedRate } from '../../../src/model/rate.ts'
import { readSecrets } from '../../../src/observe/secrets.ts'
import { apiServer } from '../../support/api-server.ts'
import { freeMemory } from '../../support/free-memory.ts'

const now = (): Date => new Date()
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
  await using budget = sharedBudget(undefined, { shared, now, origin: 'api', warn: () => {} })
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
    await using budget = sharedBudget(undefined, { shared, now, origin: 'api', warn: () => {} })
    await budget.acquire(1, { signal: new AbortController().signal })
  }
  expect(asked[0]).toBe(1_000)
})

test('a wait of an endpoint that becomes known while a request waits for its slot holds for it', async () => {
  const reply = Promise.withResolvers<void>()
  await using api = await apiServer(async ({ path }) => {
    if (path === '/slow') await reply.promise
    return { json: [] }
  })
  let known: KnownLimits = { waits: [] }
  const listeners: (() => void)[] = []
  const shared: SharedRate = {
    grant: () => Promise.reject(new Error('no grant was expected')),
    report: () => Promise.resolve(),
    read: () => Promise.resolve(known),
    subscribe: (listener) => {
      listeners.push(listener)
      return { [Symbol.dispose]: () => {} }
    },
  }
  await using budget = sharedBudget(undefined, { shared, now, origin: api.origin, warn: () => {} })
  await using client = openClient(
    { base: api.origin, concurrency: 1 },
    { secrets: readSecrets({}), emit: () => {}, now, budget },
  )
  const memory = freeMemory()
  const get = (url: string): Promise<unknown> =>
    client.send({ method: 'GET', url, query: {} }, { memory, signal: new AbortController().signal })
  const slow = get('/slow')
  while (api.requests.length === 0) await turn()
  const users = get('/users').then(() => 'a response', String)
  for (let turns = 0; turns < 10; turns += 1) await turn()
  known = { waits: [{ path: 'GET /users', ms: 3_600_000, source: undefined }] }
  for (const listener of listeners) listener()
  await turn()
  reply.resolve()
  await slow
  expect(await users).toContain('/users admits no request until')
  expect(api.requests.map(({ path }) => path)).toEqual(['/slow'])
})
