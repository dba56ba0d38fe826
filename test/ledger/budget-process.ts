import { jest } from '@jest/globals'
import { Database } from '../../src/database/database.ts'
import { sharedBudget } from '../../src/http/limits/shared-budget.ts'
import { realTime, type Time } from '../../src/http/limits/time.ts'
import { LeaseKeeper } from '../../src/ledger/lease/lease-keeper.ts'
import { sharedRates } from '../../src/ledger/shared-rates.ts'
import { limitsKey } from '../../src/model/rate.ts'
import type { RateLimits } from '../../src/model/request.ts'
import type { Budget, ResponseOrigin } from '../../src/model/scope.ts'
import type { TestDatabase } from '../support/database.ts'

const { signal } = new AbortController()

export const origin = 'https://api.example'

/** The request whose responses the tests observe. */
export const asked: ResponseOrigin = { path: '/orders', request: 'GET /orders', stream: 'orders' }

export interface Process extends AsyncDisposable {
  readonly budget: Budget & AsyncDisposable
  readonly database: Database
  /** Statements that were sent for it. */
  readonly queries: () => number
  /** Those of them that asked for requests. */
  readonly grants: () => number
  readonly warnings: readonly string[]
  readonly waits: readonly string[]
  readonly take: (times?: number, paths?: readonly string[]) => Promise<void>
}

/**
 * What one process has of a budget: connections of its own, a keeper, and nothing in common with the others but the
 * database.
 */
export async function openProcess(
  { url }: TestDatabase,
  rate?: RateLimits,
  {
    credentials = ['TOKEN'],
    endpoint,
    deaf = false,
    time = realTime,
  }: { credentials?: string[]; endpoint?: string; deaf?: boolean; time?: Time } = {},
): Promise<Process> {
  await using opened = new AsyncDisposableStack()
  const database = opened.use(new Database({ url, max: 2 }))
  const keeper = deaf
    ? { subscribe: () => ({ [Symbol.dispose]: () => {} }) }
    : opened.use(await LeaseKeeper.open(database))
  const query = jest.spyOn(database, 'query')
  const warnings: string[] = []
  const waits: string[] = []
  const budget = sharedBudget(rate, {
    shared: sharedRates(database, { keeper })({ origin, credentials, rate: rate && limitsKey(rate), endpoint }),
    now: () => new Date(),
    time,
    origin,
    warn: (message) => warnings.push(message),
  })
  opened.use(budget)
  const kept = opened.move()
  return {
    budget,
    database,
    warnings,
    waits,
    queries: () => query.mock.calls.length,
    grants: () => query.mock.calls.filter(([text]) => text.includes('grant_requests')).length,
    take: async (times = 1, paths = ['/orders']) => {
      for (let taken = 0; taken < times; taken += 1)
        await budget.acquire(1, {
          signal,
          paths,
          onWait: (reason, ms) => waits.push(`${reason} ${ms > 1_000 ? 'long' : 'short'}`),
        })
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}
