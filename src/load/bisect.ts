import { isRowError, sqlState } from '../database/errors.ts'
import type { Transaction } from '../database/transaction.ts'
import { TooManyRejectsError } from '../model/errors.ts'
import type { Reject } from '../model/page.ts'
import type { RowShape } from './encode/encoded-page.ts'
import { rowRecord } from './encode/row-record.ts'
import { halves, type RowSelection } from './row-selection.ts'
import type { StoreRows, StoredCounts } from './write-modes.ts'

export interface BisectOptions {
  readonly store: StoreRows
  readonly shape: RowShape
  readonly table: string
  /** Beyond so many rejects the search is given up: the slice fails anyway. */
  readonly maxRejects: number
}

/**
 * Stores what can be stored, and finds the rows that cannot by halving, each try in a savepoint. Only an error that a
 * row can be the cause of divides the rows; anything else ends it. Two rows that only the database takes for equal
 * (21000) are parted, and rejected never: the later one wins.
 */
export async function bisect(
  transaction: Transaction,
  rows: RowSelection,
  options: BisectOptions,
): Promise<{ stored: StoredCounts; rejects: Reject[] }> {
  const rejects: Reject[] = []
  const sum = { inserted: 0, updated: 0, unchanged: 0, duplicate: 0 }
  const waiting = [rows]
  for (let part = waiting.pop(); part; part = waiting.pop()) {
    const outcome = await tried(transaction, part, options)
    if ('stored' in outcome)
      for (const name of Object.keys(sum) as (keyof StoredCounts)[]) sum[name] += outcome.stored[name]
    else if (part.rows > 1) waiting.push(...halves(part).toReversed())
    else if (sqlState(outcome.fault) === '21000') throw outcome.fault
    else {
      rejects.push(rejected(part, outcome.fault, options))
      if (rejects.length > options.maxRejects) throw tooMany(rejects, options)
    }
  }
  return { stored: sum, rejects }
}

async function tried(
  transaction: Transaction,
  part: RowSelection,
  { store, shape }: BisectOptions,
): Promise<{ stored: StoredCounts } | { fault: Error }> {
  try {
    await using savepoint = await transaction.savepoint()
    const stored = await store(transaction, part, shape)
    await savepoint.release()
    return { stored }
  } catch (error) {
    if (isRowError(error) || sqlState(error) === '21000') return { fault: error as Error }
    throw error
  }
}

function rejected({ ranges: [range] }: RowSelection, fault: Error, { shape }: BisectOptions): Reject {
  const { page, from, to } = range!
  const { detail, column } = fault as { detail?: unknown; column?: unknown }
  const more = [typeof column === 'string' ? `column ${column}` : '', typeof detail === 'string' ? detail : '']
    .filter((text) => text !== '')
    .join(', ')
  const text = Buffer.concat([...page.slices(from, to)]).toString()
  return {
    stage: 'database',
    reason: `${fault.message} (SQLSTATE ${sqlState(fault)}${more === '' ? '' : `; ${more}`})`,
    record: rowRecord(text, shape.columns),
  }
}

function tooMany(rejects: readonly Reject[], { table, maxRejects }: BisectOptions): TooManyRejectsError {
  const reasons = rejects
    .slice(0, 3)
    .map(({ reason }) => reason)
    .join('; ')
  return new TooManyRejectsError(
    `${table}: the database refused more rows of one batch than maxRejects: ${maxRejects} admits (${reasons}). Nothing of this batch was stored: mend the records or the table, or raise maxRejects`,
  )
}
