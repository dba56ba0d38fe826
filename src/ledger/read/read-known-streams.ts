import type { Queryable } from '../../database/queryable.ts'

export interface KnownPipeline {
  readonly pipeline: string
  readonly streams: readonly string[]
}

/** Returns every pipeline that ever ran or has a cursor, with the streams that the ledger knows of it. */
export async function readKnownStreams(on: Queryable): Promise<KnownPipeline[]> {
  return on.query<KnownPipeline>(
    `select pipeline, array_remove(array_agg(distinct stream), null) as streams
       from (select pipeline, stream from sluice.slices union select pipeline, stream from sluice.cursors
             union select pipeline, null from sluice.runs) as known
      group by pipeline order by pipeline`,
  )
}
