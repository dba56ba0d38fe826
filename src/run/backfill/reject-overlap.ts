import type { Database } from '../../database/database.ts'
import type { Flow } from '../../define/flow.ts'
import { findOverlapping } from '../../ledger/backfills.ts'
import type { StreamName } from '../../ledger/stream-name.ts'
import { readBeginnings } from '../../ledger/read/read-slices.ts'
import { UsageError } from '../../model/errors.ts'
import { instantOf } from '../../source/cursor/bound-value.ts'

export interface RejectOverlapOptions extends StreamName {
  readonly flow: Flow<unknown>
  readonly to: string
  readonly warn: (message: string) => void
  readonly signal: AbortSignal
}

/**
 * Append without a key stores a record once more for each reading that meets it: what live runs read, and what other
 * backfills have read, is not for this one.
 */
export async function rejectOverlap(
  database: Database,
  backfill: string,
  { flow: { recipe, table }, to, warn, signal, ...name }: RejectOverlapOptions,
): Promise<void> {
  if (table.write !== 'append' || table.key.length > 0) return
  const { unit, startFrom } = recipe.incremental ?? {}
  const remedy = 'or give the table a key, with which nothing is stored twice'
  const beginnings = await readBeginnings(database, name, signal)
  const begins = Math.min(...beginnings.map((since) => secondsOf(since ?? startFrom, unit)))
  if (beginnings.length > 0 && Date.parse(to) / 1_000 > begins) {
    const at = Number.isFinite(begins) ? `from ${new Date(begins * 1_000).toISOString()} on` : 'from the very beginning'
    throw new UsageError(
      `${name.pipeline}.${name.stream}: live runs store its records ${at}, and without a key ${table.name} would have them twice: end the backfill there, ${remedy}`,
    )
  }
  if (beginnings.length === 0 && Date.parse(to) / 1_000 > secondsOf(startFrom, unit)) {
    warn(
      `no run has read it yet, and the first one begins ${startFrom === undefined ? 'at the very beginning' : `at ${startFrom}`}: without a key it would store these records once more. Before it, run: sluice cursor set ${name.pipeline}.${name.stream} ${to}`,
    )
  }
  const others = await findOverlapping(database, backfill, signal)
  if (others.length > 0)
    throw new UsageError(
      `${name.pipeline}.${name.stream}: backfill ${others.join(', ')} has stored records of the same time, and without a key ${table.name} would have them twice: choose another range, or --only missing with windows that begin and end with those, ${remedy}`,
    )
}

/** A moment in seconds; the very beginning, and what is no moment, is before everything. */
function secondsOf(text: string | number | bigint | undefined, unit: 's' | 'ms' | undefined): number {
  const moment = text === undefined ? undefined : instantOf(String(text), unit)
  return moment ? moment.seconds + Number(`0.${moment.fraction || '0'}`) : -Infinity
}
