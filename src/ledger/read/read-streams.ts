import type { Queryable } from '../../database/queryable.ts'
import type { Counts } from '../../model/batch.ts'
import type { Completeness } from '../../model/completeness.ts'
import type { RunKind } from '../../model/slice.ts'
import { COMPLETENESS, completenessOf, WORST_COMPLETENESS, type CompletenessRow } from '../completeness.ts'
import { countsOf, ownCount, selectCounts, type CountRow } from '../counts.ts'
import { LAST_SEEN_SQL } from '../runs.ts'
import { STREAMS_SQL } from './read-known-streams.ts'

/** One run of one stream. */
export interface StreamRun {
  readonly run: string
  readonly kind: RunKind
  readonly status: 'running' | 'done' | 'failed' | 'interrupted'
  readonly startedAt: Date
  readonly finishedAt: Date | undefined
  /** The worst of its slices. Undefined if it is not known. */
  readonly completeness: Completeness | undefined
  readonly counts: Counts
  readonly error: string | undefined
}

/** A stream in the ledger with its last runs, the newest first, without backfills. */
export interface StreamRuns {
  readonly pipeline: string
  readonly stream: string
  /** When it was last read to its end. */
  readonly lastSuccess: Date | undefined
  /** Of that reading. Undefined if it is not known. */
  readonly completeness: Completeness | undefined
  readonly runs: readonly StreamRun[]
}

/** Returns every stream with its last runs. It reads few slices, however many there are. */
export async function readStreams(
  on: Queryable,
  { runs = 10 }: { readonly runs?: number } = {},
): Promise<StreamRuns[]> {
  const rows = await on.query<Row>(
    `with recursive ${STREAMS_SQL}
     select streams.pipeline, streams.stream, success.at as "lastSuccess",
            success.completeness as "lastGrade", success.open_reasons as "lastReasons", last.*
       from streams
       left join lateral (
         select s.finished_at as at, ${COMPLETENESS} from sluice.slices as s
          where (s.pipeline, s.stream) = (streams.pipeline, streams.stream) and s.kind = 'sync' and s.status = 'done'
          order by s.id desc limit 1) as success on true
       left join lateral (
         select r.id as run, r.kind, r.started_at as "startedAt", own.error,
                own.completeness, own.open_reasons, ${selectCounts((name) => `own.${name}`)},
                case when r.status = 'running' and not sluice.is_alive(r) then 'interrupted'
                     -- This stream may be done although another one of the run failed.
                     when r.status in ('failed', 'interrupted') and own.all_done then 'done'
                     else r.status end as status,
                case when r.status = 'running' and sluice.is_alive(r) then null
                     else coalesce(own.finished, r.finished_at, ${LAST_SEEN_SQL}) end as "finishedAt"
           from (select s.run, bool_and(s.status = 'done') as all_done, max(s.finished_at) as finished,
                        (array_agg(s.error order by s.id desc) filter (where s.error is not null))[1] as error,
                        ${WORST_COMPLETENESS}, ${selectCounts((name) => `sum(${ownCount(name)})`)}
                   from (select * from sluice.slices as s
                          where (s.pipeline, s.stream) = (streams.pipeline, streams.stream) and s.kind <> 'backfill'
                          order by s.id desc limit $2) as s
                  group by s.run order by s.run desc limit $1) as own
           join sluice.runs as r on r.id = own.run
        ) as last on true
      order by streams.pipeline, streams.stream, last.run desc`,
    [runs, runs * 10],
  )
  const byStream = Map.groupBy(rows, ({ pipeline, stream }) => `${pipeline}.${stream}`).values()
  return [...byStream].flatMap((all) => {
    const [first] = all
    if (!first) return []
    const { pipeline, stream, lastSuccess, lastGrade, lastReasons } = first
    return {
      pipeline,
      stream,
      lastSuccess: lastSuccess ?? undefined,
      completeness: completenessOf({ completeness: lastGrade, open_reasons: lastReasons }),
      runs: all.flatMap(streamRun),
    }
  })
}

/** Returns the run of a row; nothing for a stream that only backfills have read. */
function streamRun(row: Row): StreamRun[] {
  const { run, kind, status, startedAt, finishedAt, error } = row
  if (run === null) return []
  return [
    {
      run,
      kind,
      status,
      startedAt,
      finishedAt: finishedAt ?? undefined,
      completeness: completenessOf(row),
      counts: countsOf(row),
      error: error ?? undefined,
    },
  ]
}

interface Row extends CountRow, CompletenessRow, Pick<StreamRun, 'kind' | 'status' | 'startedAt'> {
  readonly pipeline: string
  readonly stream: string
  readonly lastSuccess: Date | null
  readonly lastGrade: CompletenessRow['completeness']
  readonly lastReasons: CompletenessRow['open_reasons']
  readonly run: string | null
  readonly finishedAt: Date | null
  readonly error: string | null
}
