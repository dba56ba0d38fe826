import type { Pipeline } from '../../define/pipeline.ts'
import { Semaphore } from '../../flow/semaphore.ts'
import { resolveMemory, type RunOptions } from '../options.ts'

/** Accounts that run at once if nothing says how many. */
export const DEFAULT_ACCOUNTS_AT_ONCE = 1

export interface InTurnOptions {
  /** Accounts that run at the same time. @default the `concurrency` of `accounts()` */
  readonly accountsAtOnce?: number | undefined
  /** Decoded body text that all accounts may hold at once. @default '64MB' */
  readonly memory?: RunOptions['memory'] | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Calls a function for each account of a pipeline, a few at a time, with the memory that each may use. Returns what the
 * calls return, in the order of the accounts: undefined for an account whose turn had not come when the signal aborted.
 */
export async function inTurn<One extends { readonly pipeline: Pipeline }, Result>(
  accounts: readonly One[],
  { accountsAtOnce, memory, signal }: InTurnOptions,
  work: (account: One, options: { readonly memory: number }) => Promise<Result>,
): Promise<(Result | undefined)[]> {
  const limit = accountsAtOnce ?? accounts[0]?.pipeline.account?.concurrency ?? DEFAULT_ACCOUNTS_AT_ONCE
  const share = Math.ceil(resolveMemory(memory) / Math.max(1, Math.min(limit, accounts.length)))
  const permits = new Semaphore(limit)
  return Promise.all(
    accounts.map(async (account) => {
      const permit = await permits.acquire({ signal }).catch(() => undefined)
      if (!permit) return undefined
      using _permit = permit
      return await work(account, { memory: share })
    }),
  )
}
