// Which rows of a table belong to a window of a backfill, and whether those that it does not bring are really gone.
import { readCursors } from '../../ledger/cursors.ts'
import type { TableWriter } from '../../load/table-writer.ts'
import { openText, worstOf, type Completeness } from '../../model/completeness.ts'
import { NO_READ_COUNTS } from '../../model/counts.ts'
import { END, type Page } from '../../model/page.ts'
import { movedList, readSteps } from '../../read/read-steps.ts'
import { toUnit } from '../../source/cursor/cursor-text.ts'
import { compareCursors } from '../../value/cursor-order.ts'
import { defined } from '../../value/defined.ts'
import { formatNumber } from '../../value/format.ts'
import { cursorColumn } from '../verify/cursor-column.ts'
import type { MirrorReading } from './mirror-reading.ts'
import type { SliceContext } from './slice-context.ts'

/** A window whose rows can be told from the others of the table. */
export interface MirroredWindow {
  readonly lower: string
  readonly upper: string
  /** The condition of its rows, on the columns of the table. */
  readonly scope: string
  /** The field of the cursor. Its column must have the value that the record has. */
  readonly field: string
  /** The cursor of the stream when the window began. */
  readonly cursor: string
}

/** Types that have each value of a cursor as it is. */
const EXACT_TYPES = new Set(['timestamptz', 'date', 'int4', 'int8', 'numeric'])

/** Later records of which the keys are held in memory. */
const MAX_LATER = 100_000

/** Returns the window of a slice, or why nothing says which rows are its own. */
export async function mirroredWindow(
  { stream, slice }: SliceContext,
  target: TableWriter,
): Promise<MirroredWindow | { readonly unknown: string }> {
  const { recipe, table, database, pipeline, writeSignal: signal } = stream
  const { since: lower = '', until: upper = '' } = slice
  const { at, unit } = recipe.incremental ?? {}
  if (recipe.stages.some(({ type }) => type === 'flatMap'))
    return { unknown: 'the rows of children do not say to which window they belong' }
  const column = cursorColumn(recipe, target.loaded)
  const declared = typeof at === 'string' ? table.columns[at] : undefined
  const { type } = (typeof at === 'string' && target.loaded(at)) || {}
  const [from, to] = [column?.bound(lower), column?.bound(upper)]
  const isExact = type && EXACT_TYPES.has(type.base) && type.limits.length === 0
  const hasZone = typeof declared === 'object' && declared.zone !== undefined
  if (typeof at !== 'string' || !column || !isExact || hasZone || from === undefined || to === undefined)
    return {
      unknown:
        `no column holds the cursor's value ${typeof at === 'string' ? `'${at}' ` : ''}exactly, ` +
        'so nothing says which rows belong to the window',
    }
  const cursors = await readCursors(database.with({ signal }), { pipeline, stream: stream.stream })
  const cursor = cursors[0]?.value
  if (cursor === undefined || compareCursors(cursor, toUnit(upper, unit)) < 0)
    return {
      unknown:
        `the stream is read ${cursor === undefined ? 'by no run yet' : `up to ${cursor}`}, so a record of this ` +
        `window that has changed later may not be known. First: sluice run ${stream.streamName}`,
    }
  return { lower, upper, scope: `${column.value} >= ${from} and ${column.value} < ${to}`, field: at, cursor }
}

/**
 * Reads what has changed since the cursor, stores nothing of it, and returns the last page of the window: its records
 * exist. A record that has changed while the window was read, or since the last run, is no longer in the window, and
 * its row still has the old time.
 */
export async function laterPage(
  { stream, scope, slice }: SliceContext,
  mirror: MirrorReading,
  { cursor }: MirroredWindow,
): Promise<Page> {
  const { recipe, table } = stream
  const present: unknown[] = []
  let completeness: Completeness | undefined
  for await (const page of mirror.follow(
    readSteps(recipe, { since: cursor }, scope, { ...movedList(table), onPart: mirror.keepPart }),
  )) {
    completeness = worstOf(completeness, page.completeness)
    present.push(...page.records.map((record) => keyOf(record, table.key)), ...(page.present ?? []))
    page.hold?.[Symbol.dispose]()
    if (present.length <= MAX_LATER) continue
    mirror.keepAll(
      `more than ${formatNumber(MAX_LATER)} records have changed since ${cursor}. ` +
        `First: sluice run ${stream.streamName}`,
    )
    break
  }
  const open = completeness === undefined ? 'it did not say so' : openText(completeness)
  if (open !== undefined) mirror.keepAll(`it is not proven that all records since ${cursor} were read: ${open}`)
  return {
    records: [],
    rejects: [],
    counts: NO_READ_COUNTS,
    position: END,
    present,
    ...defined({ completeness: slice.completeness }),
  }
}

const keyOf = (record: unknown, key: readonly string[]): unknown =>
  typeof record === 'object' && record !== null
    ? Object.fromEntries(key.map((field) => [field, (record as Readonly<Record<string, unknown>>)[field]]))
    : record
