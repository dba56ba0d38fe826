import type { Queryable } from '../../database/queryable.ts'
import type { Advance, Counts } from '../../model/batch.ts'
import type { Completeness } from '../../model/completeness.ts'
import { COUNT_NAMES } from '../../model/counts.ts'
import { completenessOf, WORST_COMPLETENESS, type CompletenessRow } from '../completeness.ts'
import { countsOf, ownCount, selectCounts, type CountRow } from '../counts.ts'
import { swapOf, type SwapColumn } from './read-slices.ts'

/** One stream of a run, as the ledger has it. */
export interface StreamRecord {
  readonly stream: string
  /** All slices of the run are done. */
  readonly isDone: boolean
  readonly slices: number
  readonly batches: number
  /** Committed by this run; earlier runs of the same slices are left out. */
  readonly counts: Counts
  /** Committed in the same slices by all runs. */
  readonly total: Counts
  /** The worst of its slices. Undefined if it is not known. */
  readonly completeness: Completeness | undefined
  readonly swap: Advance['swap']
  /** The cursor from which it was read; undefined: from the very beginning. */
  readonly since: string | undefined
  /** The cursor as it is now. */
  readonly cursor: string | undefined
  /** It continued a slice of an earlier run. */
  readonly resumed: boolean
  readonly error: string | undefined
}

const SWAP_COUNTS = ['inserted', 'updated', 'deleted'] as const

/** Returns the streams of a run by name: those of which it claimed a slice that no other run has claimed since. */
export async function readReport(on: Queryable, run: string): Promise<StreamRecord[]> {
  const rows = await on.query<Row>(
    `select s.stream, bool_and(s.status = 'done') as done, count(*) as slices,
            sum(${ownCount('batches')}) as batches,
            ${selectCounts((name) => `sum(s.${name})`)},
            ${COUNT_NAMES.map((name) => `sum(${ownCount(name)}) as own_${name}`).join(', ')},
            ${SWAP_COUNTS.map((name) => `sum(s.swap_${name}) as swap_${name}`).join(', ')},
            ${WORST_COMPLETENESS}, (array_agg(s.since order by s.id))[1] as since,
            (array_agg(s.error order by s.id desc) filter (where s.error is not null))[1] as error,
            coalesce(bool_or((s.counts_at_claim ->> 'batches')::bigint > 0), false) as resumed, max(c.value) as cursor
       from sluice.slices as s left join sluice.cursors as c using (pipeline, stream, partition)
      where s.run = $1 group by s.stream order by s.stream`,
    [run],
  )
  return rows.map((row) => ({
    stream: row.stream,
    isDone: row.done,
    slices: Number(row.slices),
    batches: Number(row.batches),
    counts: countsOf(row, 'own_'),
    total: countsOf(row),
    completeness: completenessOf(row),
    swap: swapOf(row),
    since: row.since ?? undefined,
    cursor: row.cursor ?? undefined,
    resumed: row.resumed,
    error: row.error ?? undefined,
  }))
}

type Row = CountRow &
  CompletenessRow & { readonly [Name in `own_${keyof Counts}` | 'slices' | 'batches' | 'stream']: string } & Readonly<
    Record<'since' | 'cursor' | 'error' | SwapColumn, string | null>
  > & {
    readonly done: boolean
    readonly resumed: boolean
  }
