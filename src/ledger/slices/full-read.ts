// A reading of everything in steps: many slices, which any run goes on with until the last one is done. See
// migrations/0031_full_reads.sql.
import type { Queryable } from '../../database/queryable.ts'
import { defined } from '../../value/defined.ts'
import type { StreamName } from '../stream-name.ts'

/** A reading of everything in steps that has not come to its end. */
export interface FullRead {
  /** The run that began it. */
  readonly startedBy: string
  readonly definition: string
  /** The end of its steps that are done. Undefined if none is. */
  readonly readTo: string | undefined
}

/** Selects a row of `sluice.unfinished_full`, whose alias is `f`. */
export const FULL_COLUMNS =
  'f.started_by as "fullStartedBy", f.definition as "fullDefinition", f.read_to as "fullReadTo"'

/** All are null without an unfinished reading. */
export interface FullReadRow {
  readonly fullStartedBy: string | null
  readonly fullDefinition: string | null
  readonly fullReadTo: string | null
}

export function fullReadOf(row: FullReadRow): FullRead | undefined {
  const { fullStartedBy: startedBy, fullDefinition: definition, fullReadTo: readTo } = row
  return startedBy === null || definition === null ? undefined : { startedBy, definition, readTo: readTo ?? undefined }
}

/** Returns the unfinished reading of everything of a stream; undefined if there is none. */
export async function readFullRead(
  on: Queryable,
  { pipeline, stream, partition = '' }: StreamName,
): Promise<FullRead | undefined> {
  const row = await on.maybeOne<FullReadRow>(`select ${FULL_COLUMNS} from sluice.unfinished_full($1, $2, $3) as f`, [
    pipeline,
    stream,
    partition,
  ])
  return row && fullReadOf(row)
}

/** Returns the unfinished readings of everything, of one pipeline or stream if they are named. */
export async function readFullReads(
  on: Queryable,
  { pipeline, stream }: { readonly pipeline?: string | undefined; readonly stream?: string | undefined } = {},
): Promise<(StreamName & FullRead)[]> {
  const rows = await on.query<StreamName & FullReadRow>(
    `select n.pipeline, n.stream, n.partition, ${FULL_COLUMNS}
       from sluice.full_reads as n, sluice.unfinished_full(n.pipeline, n.stream, n.partition) as f
      where ($1::text is null or n.pipeline = $1) and ($2::text is null or n.stream = $2)
      order by n.pipeline, n.stream, n.partition`,
    [pipeline, stream],
  )
  return rows.flatMap((row) => {
    const { pipeline, stream, partition } = row
    const unfinished = fullReadOf(row)
    return unfinished ? [{ pipeline, stream, ...defined({ partition }), ...unfinished }] : []
  })
}

interface StartOptions {
  readonly run: string
  readonly definition: string
  readonly full?: boolean
  readonly hasCursor?: boolean
}

interface Places {
  readonly cursor: string | undefined
  /** The end of the step that this run has read last. */
  readonly stepEnd: string | undefined
  readonly unfinished: FullRead | undefined
}

/** Where the next slice of a stream begins. */
export interface Start {
  /** Undefined is the very start. */
  readonly start: string | undefined
  /** The slice begins to read everything. */
  readonly beginsFull: boolean
  /** It is the first one of this run, and goes on with a reading of everything that an earlier run has begun. */
  readonly isContinued: boolean
}

/**
 * Returns where the next slice of a stream begins. A run goes on with a reading of everything, unless it is to read
 * everything itself (`full`) or another definition has begun it: then it begins anew.
 */
export function startOf(
  { run, definition, full = false, hasCursor = true }: StartOptions,
  { cursor, stepEnd, unfinished }: Places,
): Start {
  if (unfinished && (!full || unfinished.startedBy === run)) {
    const start = unfinished.definition === definition ? unfinished.readTo : undefined
    const isContinued = start !== undefined && stepEnd === undefined && unfinished.startedBy !== run
    return { start, beginsFull: start === undefined, isContinued }
  }
  const start = stepEnd ?? (full || !hasCursor ? undefined : cursor)
  return { start, beginsFull: full && start === undefined, isContinued: false }
}
