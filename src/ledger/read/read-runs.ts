import type { Queryable } from '../../database/queryable.ts'
import type { Counts } from '../../model/batch.ts'
import type { Completeness } from '../../model/completeness.ts'
import type { Report } from '../../model/report.ts'
import type { RunKind } from '../../model/slice.ts'
import { completenessOf, WORST_COMPLETENESS, type CompletenessRow } from '../completeness.ts'
import { countsOf, ownCount, selectCounts, type CountRow } from '../counts.ts'
import { ENDED_UNEXPECTEDLY, LAST_SEEN_SQL } from '../runs.ts'
import { PIPELINES_SQL } from './read-known-streams.ts'

export interface StoredRun {
  readonly id: string
  readonly kind: RunKind
  readonly pipeline: string
  /** A run whose process is gone is `interrupted`, even if the ledger does not have it yet. */
  readonly status: 'running' | 'done' | 'failed' | 'interrupted'
  readonly options: unknown
  readonly startedAt: Date
  readonly finishedAt: Date | undefined
  readonly error: string | undefined
  /** When its process last renewed it. */
  readonly seenAt: Date
  /** When it was asked to stop. */
  readonly stopRequestedAt: Date | undefined
  /** Committed by this run, all streams together. */
  /** The worst of the slices that it claimed last. Undefined if it is not known. */
  readonly completeness: Completeness | undefined
  readonly counts: Counts
  readonly report: Report | undefined
}

export interface ReadRunsOptions {
  /** The name of a pipeline, also of all its accounts; or of one account, as `shops@north`. */
  readonly pipeline?: string | undefined
  readonly kind?: RunKind | undefined
  readonly status?: StoredRun['status'] | undefined
  /** Older than this run. */
  readonly before?: string | undefined
  /** @default 20 */
  readonly limit?: number
}

/** Returns runs, the newest first. */
export async function readRuns(
  on: Queryable,
  { pipeline, kind, status, before, limit = 20 }: ReadRunsOptions = {},
): Promise<StoredRun[]> {
  const filter = `($2::bigint is null or r.id < $2) and ($4::text is null or r.kind = $4)
    and ($5::text is null or ${now} = $5) ${status === undefined ? '' : STORED_AS[status]}`
  // Of each account by itself, so that an index leads to its newest runs however many others have.
  const which =
    pipeline === undefined
      ? `${filter} and $1::text is null`
      : `r.id in (
           with recursive ${PIPELINES_SQL}
           select newest.id from pipelines as p, lateral (
             select r.id from sluice.runs as r where r.pipeline = p.pipeline and ${filter}
              order by r.id desc limit $3) as newest
            where p.pipeline = $1 or starts_with(p.pipeline, $1 || '@'))`
  return select(on, `where ${which} order by r.id desc limit $3`, [pipeline, before, limit, kind, status])
}

/** What the ledger has for a run of a status. It is stated too, because indexes hold only runs of some. */
const STORED_AS: Readonly<Record<StoredRun['status'], string>> = {
  running: `and r.status = 'running'`,
  done: `and r.status = 'done'`,
  failed: `and r.status = 'failed'`,
  interrupted: `and r.status in ('running', 'interrupted')`,
}

export async function readRun(on: Queryable, id: string): Promise<StoredRun | undefined> {
  return (await select(on, 'where r.id = $1', [id]))[0]
}

/** True if the process of a run `r` is gone. */
const IS_DEAD = `r.status = 'running' and not sluice.is_alive(r)`

async function select(on: Queryable, which: string, values: readonly unknown[]): Promise<StoredRun[]> {
  const rows = await on.query<
    CountRow &
      CompletenessRow &
      Omit<StoredRun, 'completeness' | 'finishedAt' | 'error' | 'report' | 'stopRequestedAt' | 'counts'> & {
        readonly finishedAt: Date | null
        readonly error: string | null
        readonly report: Report | null
        readonly stopRequestedAt: Date | null
      }
  >(
    `select r.id, r.kind, r.pipeline, r.options, r.started_at as "startedAt", r.report,
            r.seen_at as "seenAt", r.stop_requested_at as "stopRequestedAt", own.*, ${now} as status,
            case when ${IS_DEAD} then ${LAST_SEEN_SQL} else r.finished_at end as "finishedAt",
            case when ${IS_DEAD} then '${ENDED_UNEXPECTEDLY}' else r.error end as error
       from sluice.runs as r left join lateral (select ${WORST_COMPLETENESS},
                ${selectCounts((name) => `coalesce(sum(${ownCount(name)}), 0)`)}
         from sluice.slices as s where s.run = r.id) as own on true ${which}`,
    values,
  )
  return rows.map(({ finishedAt, error, report, stopRequestedAt, ...row }) => {
    const { id, kind, pipeline, status, options, startedAt, seenAt } = row
    return {
      id,
      kind,
      pipeline,
      status,
      options,
      startedAt,
      seenAt,
      completeness: completenessOf(row),
      counts: countsOf(row),
      finishedAt: finishedAt ?? undefined,
      error: error ?? undefined,
      report: report ?? undefined,
      stopRequestedAt: stopRequestedAt ?? undefined,
    }
  })
}

const now = `case when r.status = 'running' and not sluice.is_alive(r) then 'interrupted' else r.status end`
