import type { Database } from '../database/database.ts'
import { isTransient } from '../database/errors.ts'
import { abortable } from '../flow/signals/abortable.ts'
import { sleep } from '../flow/signals/sleep.ts'
import {
  ENDPOINT_IN_NAME,
  rateName,
  WHOLE_API,
  type Grant,
  type KnownLimits,
  type LimitSource,
  type SharedRate,
  type SharedRates,
} from '../model/rate.ts'
import type { LeaseKeeper } from './lease/lease-keeper.ts'

/** Notified by `sluice.report_limits` and `sluice.clear_limits`. */
const CHANNEL = 'sluice_rates'

const MAX_ATTEMPTS = 3

interface GrantRow {
  readonly lease: string | null
  readonly requests: string
  readonly wait_ms: number | null
  readonly blocked_ms: number | null
  readonly remaining: string | null
  readonly remaining_ms: number | null
}

interface LimitsRow {
  /** Null for the number of requests that remain, '' for everything that the budget is for. */
  readonly path: string | null
  readonly ms: number
  readonly remaining: string | null
  readonly source: LimitSource | null
  /** The budget is the one that reads. Others are of other limits of the same API. */
  readonly own: boolean
  /** The endpoint that the budget is for; null for the whole API. */
  readonly endpoint: string | null
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
  { keeper, run }: { readonly keeper: Pick<LeaseKeeper, 'subscribe'>; readonly run?: string },
): SharedRates {
  return ({ origin, credentials, rate, endpoint }) => {
    let opened: Promise<string> | undefined
    const identity = async (signal?: AbortSignal): Promise<string> => {
      opened ??= again(
        async () =>
          (
            await database.one<{ id: string }>('select sluice.open_rate($1, $2, $3) as id', [
              origin,
              [...credentials].toSorted(),
              rateName({ rate, endpoint }),
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
      grant: async ({ limits = [], wanted, least, validMs, previous: before, signal }): Promise<Grant> => {
        const id = await identity(signal)
        // Requests granted in a lost reply count as sent until their period is over. Unused ones are returned only
        // once.
        let unused = before?.unused ?? 0
        const row = await again(() => {
          const values = [
            id,
            limits.map(({ requests }) => requests),
            limits.map(({ periodMs }) => periodMs),
            limits.map(({ burst }) => burst ?? null),
            wanted,
            least,
            validMs,
            before?.lease ?? null,
            before?.used ?? 0,
            before?.usedMsAgo ?? 0,
            unused,
          ]
          unused = 0
          return database.one<GrantRow>(
            'select * from sluice.grant_requests($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)',
            values,
            { signal, timeout: '30s' },
          )
        }, signal)
        return {
          lease: row.lease ?? undefined,
          requests: Number(row.requests),
          waitMs: row.wait_ms ?? 0,
          isBlocked: (row.blocked_ms ?? 0) > 0,
          ...(row.remaining !== null &&
            row.remaining_ms && { remaining: { requests: Number(row.remaining), ms: row.remaining_ms } }),
        }
      },
      report: async ({ wait, remaining }, { signal }) => {
        const id = await identity(signal)
        await again(
          () =>
            database.query(
              'select sluice.report_limits($1, $2, $3, $4, $5, $6, $7)',
              [
                id,
                wait?.path ?? null,
                wait?.ms ?? null,
                sourceJson(wait?.source, run),
                remaining?.requests ?? null,
                remaining?.ms ?? null,
                sourceJson(remaining?.source, run),
              ],
              { timeout: '30s', signal },
            ),
          signal,
        )
      },
      read: async ({ signal }) => {
        const id = await identity(signal)
        const rows = await again(
          () =>
            database.query<LimitsRow>(
              `select w.path, w.remaining, sluice.milliseconds(w.until - clock_timestamp()) as ms, w.source,
                      r.id = own.id as own, substring(r.rate from $2) as endpoint
                 from sluice.rates as own
                 join sluice.rates as r on (r.origin, r.credentials) = (own.origin, own.credentials)
                 join sluice.waits as w on w.rate = r.id
                where own.id = $1`,
              [id, ENDPOINT_IN_NAME],
              { signal },
            ),
          signal,
        )
        return knownLimits(rows, endpoint)
      },
      subscribe: (listener) => keeper.subscribe(CHANNEL, listener),
    } satisfies SharedRate
  }
}

function sourceJson(source: LimitSource | undefined, run: string | undefined): string | null {
  return source ? JSON.stringify({ ...source, run }) : null
}

function knownLimits(rows: readonly LimitsRow[], endpoint: string | undefined): KnownLimits {
  const waits = rows.flatMap((row) => {
    const { path, ms, source } = row
    if (path === null || ms <= 0) return []
    const concerned = path === WHOLE_API ? placeOf(row, endpoint) : path
    return concerned === undefined ? [] : [{ path: concerned, ms, source: source ?? undefined }]
  })
  // Another budget counts what remains of its own limits.
  const left = rows.find(({ own, remaining, ms }) => own && remaining !== null && ms > 0)
  return {
    waits,
    ...(left && {
      remaining: { requests: Number(left.remaining), ms: left.ms, source: left.source ?? undefined },
    }),
  }
}

/**
 * Returns the path that a wait of everything that a budget is for has in the budget of `endpoint`, or in that of the
 * whole API. Undefined if it does not concern it: an endpoint learns the waits of the whole API from that one's budget.
 */
function placeOf(row: Pick<LimitsRow, 'own' | 'endpoint'>, endpoint: string | undefined): string | undefined {
  if (row.own || row.endpoint === (endpoint ?? null)) return WHOLE_API
  return endpoint === undefined ? (row.endpoint ?? undefined) : undefined
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
