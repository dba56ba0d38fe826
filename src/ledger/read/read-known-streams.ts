import type { Queryable } from '../../database/queryable.ts'

export interface KnownPipeline {
  readonly pipeline: string
  readonly streams: readonly string[]
}

/**
 * The streams of which the ledger has slices: `streams (pipeline, stream)`, for `with recursive`. An index scan jumps
 * from name to name, so it reads few slices.
 */
export const STREAMS_SQL = `streams as (
  (select pipeline, stream from sluice.slices order by pipeline, stream limit 1)
  union all
  select next.pipeline, next.stream from streams, lateral (
    select pipeline, stream from sluice.slices as s
     where (s.pipeline, s.stream) > (streams.pipeline, streams.stream)
     order by s.pipeline, s.stream limit 1) as next)`

/** The pipelines that have runs, in the same way: `pipelines (pipeline)`. */
export const PIPELINES_SQL = `pipelines as (
  (select pipeline from sluice.runs order by pipeline limit 1)
  union all
  select next.pipeline from pipelines, lateral (
    select pipeline from sluice.runs as r where r.pipeline > pipelines.pipeline order by r.pipeline limit 1) as next)`

/** Returns every pipeline that has a run or a cursor in the ledger, with the streams that the ledger knows of it. */
export async function readKnownStreams(on: Queryable): Promise<KnownPipeline[]> {
  return on.query<KnownPipeline>(
    `with recursive ${STREAMS_SQL}, ${PIPELINES_SQL}
     select pipeline, array_remove(array_agg(distinct stream), null) as streams
       from (select pipeline, stream from streams union select pipeline, stream from sluice.cursors
             union select pipeline, null from pipelines) as known
      group by pipeline order by pipeline`,
  )
}
