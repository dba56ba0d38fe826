import type { AccountOf } from '../../model/account.ts'
import type { RunEvent } from '../../model/event.ts'
import { limitsKey, type SharedRates } from '../../model/rate.ts'
import type { Api } from '../../model/request.ts'
import type { Budget } from '../../model/scope.ts'
import { secretsOf } from '../../model/secrets-of.ts'
import { rateBudget } from './rate-budget.ts'
import { sharedBudget } from './shared-budget.ts'
import { realTime, type Time } from './time.ts'

export interface BudgetOptions {
  readonly rates?: SharedRates | undefined
  readonly account?: AccountOf | undefined
  readonly now: () => Date
  readonly time?: Time
  readonly emit: (event: RunEvent) => void
  /** The endpoint that has the rate for itself. @default the whole API has it */
  readonly endpoint?: string | undefined
}

/** Returns the budget of an API: shared with other processes if the run has such rates, else of this process. */
export function budgetOf(
  api: Api,
  origin: string,
  { rates, account, now, time = realTime, emit, endpoint }: BudgetOptions,
): Budget & Partial<AsyncDisposable> {
  const { rate, limitHeaders } = api
  if (!rates) return rateBudget(rate, { now, time, origin, limitHeaders })
  const shared = rates({ origin, credentials: ownersOf(api, account), rate: rate && limitsKey(rate), endpoint })
  return sharedBudget(rate, {
    shared,
    now,
    time,
    origin,
    limitHeaders,
    warn: (message) => emit({ type: 'warning', message }),
  })
}

/**
 * Returns the names that make a budget one: those of the secrets, and of the account, which has a budget of its own. If
 * the API limits the whole app, all accounts have one budget: `*` then stands for the account in names of secrets.
 */
function ownersOf({ auth, ratePer = 'account' }: Api, account: AccountOf | undefined): string[] {
  const secrets = secretsOf(auth)
  if (!account) return secrets
  const { name, prefix } = account
  if (ratePer === 'account') return [...secrets, `account ${name}`]
  const common = secrets.map((secret) => (secret.startsWith(prefix) ? `*_${secret.slice(prefix.length)}` : secret))
  return [...common, 'all accounts']
}
