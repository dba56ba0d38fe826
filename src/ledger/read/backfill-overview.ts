import type { Queryable } from '../../database/queryable.ts'
import type { Counts } from '../../model/batch.ts'
import type { Completeness } from '../../model/completeness.ts'
import { completenessOf, WORST_COMPLETENESS, type CompletenessRow } from '../completeness.ts'
import { countsOf, selectCounts, type CountRow } from '../counts.ts'
import { IS_UNPROVEN } from './read-open-readings.ts'

/** A backfill with its windows by state and the counts of all of them. */
export interface BackfillOverview {
  readonly id: string
  readonly pipeline: string
  readonly stream: string
  readonly from: Date
  readonly to: Date
  readonly window: string
  readonly zone: string
  readonly createdAt: Date
  readonly windows: number
  /** Open, and no run holds it. */
  readonly pending: number
  readonly running: number
  readonly done: number
  /** Done, but the reading could not prove that it has read everything, and no later one covers it. */
  readonly unproven: number
  readonly failed: number
  /** Left out, because other backfills have done it. */
  readonly skipped: number
  /** The worst of the windows that are done. Undefined if it is not known of one. */
  readonly completeness: Completeness | undefined
  readonly counts: Counts
}

export interface BackfillOverviewOptions {
  readonly id?: string | undefined
  readonly pipeline?: string | undefined
  readonly stream?: string | undefined
  /** Older than this one. */
  readonly before?: string | undefined
  /** Only those that are unfinished, or were finished in the last seven days. @default false */
  readonly recent?: boolean
  /** @default 50 */
  readonly limit?: number
}

/** True if a run holds a slice `s`. */
export const IS_HELD = `s.status = 'open' and s.lease_until is not null and not sluice.is_claimable(s)`

const WINDOW_STATES = {
  pending: `s.status = 'open' and not s.held`,
  running: 's.held',
  done: `s.status = 'done'`,
  unproven: IS_UNPROVEN,
  failed: `s.status = 'failed'`,
  skipped: `s.status = 'skipped'`,
}

/** Returns backfills, the newest first. */
export async function overviewBackfills(
  on: Queryable,
  { id, pipeline, stream, before, recent = false, limit = 50 }: BackfillOverviewOptions = {},
): Promise<BackfillOverview[]> {
  const rows = await on.query<CountRow & CompletenessRow & Omit<BackfillOverview, 'counts' | 'completeness'>>(
    `select b.id, b.pipeline, b.stream, b.lower as "from", b.upper as "to", b.window_size as window, b.zone,
            b.created_at as "createdAt", w.*
       from sluice.backfills as b, lateral (
         select count(*)::int as windows, ${Object.entries(WINDOW_STATES)
           .map(([name, which]) => `(count(*) filter (where ${which}))::int as ${name}`)
           .join(', ')},
                ${WORST_COMPLETENESS}, ${selectCounts((name) => `coalesce(sum(s.${name}), 0)`)}
           from (select s.*, ${IS_HELD} as held from sluice.slices as s where s.backfill = b.id) as s) as w
      where ($1::bigint is null or b.id = $1) and ($2::text is null or b.pipeline = $2)
        and ($3::text is null or b.stream = $3) and ($4::bigint is null or b.id < $4)
        and (not $5
             -- Two of them, so that each can use an index.
             or exists (select from sluice.slices as o where o.backfill = b.id and o.status in ('open', 'failed'))
             or exists (select from sluice.slices as o
                         where o.backfill = b.id and o.finished_at > clock_timestamp() - interval '7 days'))
      order by b.id desc limit $6`,
    [id, pipeline, stream, before, recent, limit],
  )
  return rows.map((row) => {
    const {
      id,
      pipeline,
      stream,
      from,
      to,
      window,
      zone,
      createdAt,
      windows,
      pending,
      running,
      done,
      unproven,
      failed,
      skipped,
    } = row
    return {
      id,
      pipeline,
      stream,
      from,
      to,
      window,
      zone,
      createdAt,
      windows,
      pending,
      running,
      done,
      unproven,
      failed,
      skipped,
      completeness: completenessOf(row),
      counts: countsOf(row),
    }
  })
}
