import type { RunEvent } from '../../model/event.ts'
import type { SharedRates } from '../../model/rate.ts'
import type { Api } from '../../model/request.ts'
import type { Budget } from '../../model/scope.ts'
import { secretsOf } from '../../model/secrets-of.ts'
import { rateBudget } from './rate-budget.ts'
import { sharedBudget } from './shared-budget.ts'
import { realTime, type Time } from './time.ts'

interface BudgetOptions {
  readonly rates?: SharedRates | undefined
  readonly now: () => Date
  readonly time?: Time
  readonly emit: (event: RunEvent) => void
}

/** Returns the budget of an API: shared with other processes if the run has such rates, else of this process. */
export function budgetOf(
  { auth, rate }: Api,
  origin: string,
  { rates, now, time = realTime, emit }: BudgetOptions,
): Budget & Partial<AsyncDisposable> {
  if (!rates) return rateBudget(rate, { now, time, origin })
  const shared = rates({ origin, credentials: secretsOf(auth), rate })
  return sharedBudget(rate, { shared, now, time, origin, warn: (message) => emit({ type: 'warning', message }) })
}
