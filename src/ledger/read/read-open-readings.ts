import type { Queryable } from '../../database/queryable.ts'

/** True if a slice `s` may have missed records, and no later reading covers it. The index `open_readings` has these. */
export const IS_UNPROVEN = `s.completeness = 'open' and s.status = 'done' and s.covered_by is null`

/** Open readings of one stream that no later reading covers: of its syncs, or of the windows of its backfills. */
export interface OpenReadings {
  readonly pipeline: string
  readonly stream: string
  readonly kind: 'sync' | 'backfill'
  /** At most `MAX_OPEN_READINGS`. */
  readonly readings: number
  /** The newest one, and its run. */
  readonly slice: string
  readonly run: string
  /** Of the newest one: why it is open. */
  readonly reasons: readonly string[]
  /** Windows only: the range that they lie in. */
  readonly lower: Date | undefined
  readonly upper: Date | undefined
}

/** Further open readings of a stream are not counted. */
export const MAX_OPEN_READINGS = 1_000

/** Returns the open readings of all streams that no later reading covers. */
export async function readOpenReadings(on: Queryable): Promise<OpenReadings[]> {
  const rows = await on.query<
    Omit<OpenReadings, 'lower' | 'upper' | 'reasons'> &
      Readonly<Record<'lower' | 'upper', Date | null>> & { readonly reasons: readonly string[] | null }
  >(
    `with recursive names as (
       (select pipeline, stream from sluice.slices as s where ${IS_UNPROVEN} order by pipeline, stream limit 1)
       union all
       select next.pipeline, next.stream from names, lateral (
         select pipeline, stream from sluice.slices as s
          where ${IS_UNPROVEN} and (s.pipeline, s.stream) > (names.pipeline, names.stream)
          order by s.pipeline, s.stream limit 1) as next)
     select names.pipeline, names.stream, o.kind, count(*)::int as readings, max(o.id) as slice,
            (array_agg(o.run order by o.id desc))[1] as run,
            (array_agg(to_jsonb(o.open_reasons) order by o.id desc))[1] as reasons,
            min(o.lower) as lower, max(o.upper) as upper
       from names, lateral (
         select * from sluice.slices as s
          where (s.pipeline, s.stream) = (names.pipeline, names.stream)
            and ${IS_UNPROVEN} and s.kind in ('sync', 'backfill')
          order by s.id desc limit $1) as o
      group by names.pipeline, names.stream, o.kind`,
    [MAX_OPEN_READINGS],
  )
  return rows.map(({ lower, upper, reasons, ...row }) => ({
    ...row,
    reasons: reasons ?? [],
    lower: lower ?? undefined,
    upper: upper ?? undefined,
  }))
}
