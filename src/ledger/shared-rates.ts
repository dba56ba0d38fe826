import type { Database } from '../database/database.ts'
import { isTransient } from '../database/errors.ts'
import { abortable } from '../flow/signals/abortable.ts'
import { sleep } from '../flow/signals/sleep.ts'
import type { Grant, Limits, SharedRate, SharedRates } from '../model/rate.ts'
import type { LeaseKeeper } from './lease/lease-keeper.ts'

/** Said by `sluice.tell_rate`. */
const CHANNEL = 'sluice_rates'

const attempts = 3

interface LimitsRow {
  readonly blocked_ms: number | null
  readonly left_over: string | null
  readonly left_ms: number | null
}

/**
 * Budgets of requests that all processes with this database share. One statement is all that is ever sent, so that no
 * process, be it stopped, can hold a budget's row for longer than the server needs; the times are the server's.
 *
 * A database that is gone is waited for as long as a batch waits for it, and then the reading fails: a share of one's
 * own would break the promise, and what is read without a database could not be stored anyway.
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
            await database.query<{ id: string }>('select sluice.open_rate($1, $2, $3) as id', [
              origin,
              [...credentials].toSorted(),
              rate ?? '',
            ])
          )[0]!.id,
      )
      // Only what succeeded is kept: the next one may have more luck.
      opened.catch(() => {
        opened = undefined
      })
      return abortable(opened, signal)
    }
    return {
      grant: async ({ limit, wanted, least, validMs, previous: before, signal }): Promise<Grant> => {
        const id = await identity(signal)
        // What was granted to an answer that was lost counts as sent until its period is over. What was left unused is
        // given back once only.
        let unused = before?.unused ?? 0
        const [row] = await again(() => {
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
          return database.query<LimitsRow & { lease: string | null; requests: string; wait_ms: number | null }>(
            'select * from sluice.grant_requests($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)',
            values,
            { signal, timeout: '30s' },
          )
        }, signal)
        return {
          lease: row!.lease ?? undefined,
          requests: Number(row!.requests),
          waitMs: row!.wait_ms ?? 0,
          ...limitsOf(row!),
        }
      },
      report: async ({ blockedMs, left }, { signal }) => {
        const id = await identity(signal)
        await again(
          () =>
            database.query(
              'select sluice.tell_rate($1, $2, $3, $4)',
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
              `select sluice.milliseconds(blocked_until - clock_timestamp()) as blocked_ms, left_over, sluice.milliseconds(left_until - clock_timestamp()) as left_ms from sluice.rates where id = $1`,
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

function limitsOf({ blocked_ms: blockedMs, left_over: requests, left_ms: ms }: LimitsRow): Limits {
  return {
    ...(blockedMs && { blockedMs }),
    ...(requests !== null && ms && { left: { requests: Number(requests), ms } }),
  }
}

/** A connection may be lost at any time; the pool has waited for the server before it gives up. */
async function again<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work()
    } catch (error) {
      if (attempt >= attempts || !isTransient(error)) throw error
      await sleep(100 * attempt, { signal })
    }
  }
}
