import type { Queryable } from '../../database/queryable.ts'
import type { Advance, Counts } from '../../model/batch.ts'
import { countNames, countsOf, type CountRow } from '../slices/held-slice.ts'
import { swapOf, type SwapColumn } from './read-slices.ts'

/** What the ledger knows of one stream in one run. */
export interface StreamRecord {
  readonly stream: string
  /** Every slice that the run held has been read to its end. */
  readonly isDone: boolean
  readonly slices: number
  readonly batches: number
  /** What this run has committed; what earlier runs did to a slice that it finished is left out. */
  readonly counts: Counts
  /** Of the same slices since their reading began, by whomever. */
  readonly total: Counts
  readonly swap: Advance['swap']
  /** Where reading began; undefined: at the very beginning. */
  readonly since: string | undefined
  /** The cursor as it is now. */
  readonly cursor: string | undefined
  /** It went on where another run had stopped. */
  readonly resumed: boolean
  readonly error: string | undefined
}

/**
 * The counts of a run, stream by stream, by their names; only of streams that it got a slice of, and still holds or has
 * finished.
 */
export async function readReport(on: Queryable, run: string): Promise<StreamRecord[]> {
  const rows = await on.query<Row>(
    `select s.stream, bool_and(s.status = 'done') as done, count(*) as slices,
            sum(s.batches - coalesce((s.before ->> 'batches')::bigint, 0)) as batches,
            ${countNames.map((name) => `sum(s.${name}) as ${name}, sum(s.${name} - coalesce((s.before ->> '${name}')::bigint, 0)) as own_${name}`).join(', ')},
            ${(['inserted', 'updated', 'deleted'] as const).map((name) => `sum(s.swap_${name}) as swap_${name}`).join(', ')},
            (array_agg(s.since order by s.id))[1] as since, (array_agg(s.error order by s.id desc) filter (where s.error is not null))[1] as error,
            coalesce(bool_or((s.before ->> 'batches')::bigint > 0), false) as resumed, max(c.value) as cursor
       from sluice.slices as s left join sluice.cursors as c using (pipeline, stream, partition)
      where s.run = $1 group by s.stream order by s.stream`,
    [run],
  )
  return rows.map((row) => ({
    stream: row.stream,
    isDone: row.done,
    slices: Number(row.slices),
    batches: Number(row.batches),
    counts: Object.fromEntries(countNames.map((name) => [name, Number(row[`own_${name}`])])) as unknown as Counts,
    total: countsOf(row),
    swap: swapOf(row),
    since: row.since ?? undefined,
    cursor: row.cursor ?? undefined,
    resumed: row.resumed,
    error: row.error ?? undefined,
  }))
}

type Row = CountRow & { readonly [Name in `own_${keyof Counts}` | 'slices' | 'batches' | 'stream']: string } & Readonly<
    Record<'since' | 'cursor' | 'error' | SwapColumn, string | null>
  > & {
    readonly done: boolean
    readonly resumed: boolean
  }
