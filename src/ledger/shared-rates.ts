import type { Database } from '../database/database.ts'
import { isTransient } from '../database/errors.ts'
import { abortable } from '../flow/signals/abortable.ts'
import { sleep } from '../flow/signals/sleep.ts'
import type { Grant, Limits, SharedRate, SharedRates } from '../model/rate.ts'
import type { LeaseKeeper } from './lease/lease-keeper.ts'

/** Notified by `sluice.report_limits`. */
const CHANNEL = 'sluice_rates'

const MAX_ATTEMPTS = 3

interface LimitsRow {
  readonly blocked_ms: number | null
  readonly remaining: string | null
  readonly remaining_ms: number | null
}

/**
 * Opens budgets of requests that all processes with this database share. Each call is one statement, so that a stopped
 * process cannot hold a budget's row; the times are the server's.
 *
 * If the database is lost, a call waits as long as a batch would, and then fails: a budget of its own would break the
 * rate, and pages that are read without a database cannot be stored.
 */
export function sharedRates(
  database: Database,
  { keeper }: { readonly keeper: Pick<LeaseKeeper, 'subscribe'> },
): SharedRates {
  return ({ origin, credentials, rate }) => {
    let opened: Promise<string> | undefined
    const identity = async (signal?: AbortSignal): Promise<string> => {
      opened ??= again(
        async () =>
          (
            await database.one<{ id: string }>('select sluice.open_rate($1, $2, $3) as id', [
              origin,
              [...credentials].toSorted(),
              rate ?? '',
            ])
          ).id,
      )
      // Keep only a success: the next call tries again.
      opened.catch(() => {
        opened = undefined
      })
      return abortable(opened, signal)
    }
    return {
      grant: async ({ limit, wanted, least, validMs, previous: before, signal }): Promise<Grant> => {
        const id = await identity(signal)
        // Requests granted in a lost reply count as sent until their period is over. Unused ones are returned only
        // once.
        let unused = before?.unused ?? 0
        const row = await again(() => {
          const values = [
            id,
            limit?.requests ?? null,
            limit?.periodMs ?? 0,
            wanted,
            least,
            validMs,
            before?.lease ?? null,
            before?.used ?? 0,
            before?.usedMsAgo ?? 0,
            unused,
          ]
          unused = 0
          return database.one<LimitsRow & { lease: string | null; requests: string; wait_ms: number | null }>(
            'select * from sluice.grant_requests($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)',
            values,
            { signal, timeout: '30s' },
          )
        }, signal)
        return {
          lease: row.lease ?? undefined,
          requests: Number(row.requests),
          waitMs: row.wait_ms ?? 0,
          ...limitsOf(row),
        }
      },
      report: async ({ blockedMs, left }, { signal }) => {
        const id = await identity(signal)
        await again(
          () =>
            database.query(
              'select sluice.report_limits($1, $2, $3, $4)',
              [id, blockedMs ?? null, left?.requests ?? null, left?.ms ?? null],
              { timeout: '30s', signal },
            ),
          signal,
        )
      },
      read: async ({ signal }) => {
        const id = await identity(signal)
        const [row] = await again(
          () =>
            database.query<LimitsRow>(
              `select sluice.milliseconds(blocked_until - clock_timestamp()) as blocked_ms,
                      remaining,
                      sluice.milliseconds(remaining_until - clock_timestamp()) as remaining_ms
                 from sluice.rates where id = $1`,
              [id],
              { signal },
            ),
          signal,
        )
        return row ? limitsOf(row) : {}
      },
      subscribe: (listener) => keeper.subscribe(CHANNEL, listener),
    } satisfies SharedRate
  }
}

function limitsOf({ blocked_ms: blockedMs, remaining: requests, remaining_ms: ms }: LimitsRow): Limits {
  return {
    ...(blockedMs && { blockedMs }),
    ...(requests !== null && ms && { left: { requests: Number(requests), ms } }),
  }
}

/** Repeats a call whose connection was lost; the pool waits for the server before it fails. */
async function again<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work()
    } catch (error) {
      if (attempt >= MAX_ATTEMPTS || !isTransient(error)) throw error
      await sleep(100 * attempt, { signal })
    }
  }
}
