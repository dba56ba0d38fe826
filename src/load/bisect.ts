import { isRowError, sqlState } from '../database/errors.ts'
import type { Transaction } from '../database/transaction.ts'
import { TooManyRejectsError } from '../model/errors.ts'
import type { Reject } from '../model/page.ts'
import type { RowShape } from './encode/encoded-page.ts'
import { rowRecord } from './encode/row-record.ts'
import { chunksOf, halves, type RowSelection } from './row-selection.ts'
import type { StoredCounts, StoreRows } from './write-modes.ts'

export interface BisectOptions {
  readonly store: StoreRows
  readonly shape: RowShape
  readonly table: string
  /** Gives up after more rejects than this, because the slice fails anyway. */
  readonly maxRejects: number
  /** Adds to the record of a rejected row what it had besides. @default nothing */
  readonly complete?: (row: RowSelection, record: Record<string, unknown>) => Record<string, unknown>
}

/**
 * Stores all rows that can be stored, and finds the others by halving, each attempt in a savepoint. Only errors that a
 * row can cause divide the rows; any other error ends the search. Two rows of one batch that only the database takes
 * for equal (21000) are separated and never rejected: the later one wins.
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
    const outcome = await tryStore(transaction, part, options)
    if ('stored' in outcome)
      for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += outcome.stored[name]
    else if (part.rows > 1) waiting.push(...halves(part).toReversed())
    else if (sqlState(outcome.error) === '21000') throw outcome.error
    else {
      rejects.push(rejectOf(part, outcome.error, options))
      if (rejects.length > options.maxRejects) throw tooMany(rejects, options)
    }
  }
  return { stored: sum, rejects }
}

async function tryStore(
  transaction: Transaction,
  part: RowSelection,
  { store, shape }: BisectOptions,
): Promise<{ stored: StoredCounts } | { error: Error }> {
  try {
    await using savepoint = await transaction.savepoint()
    const stored = await store(transaction, part, shape)
    await savepoint.release()
    return { stored }
  } catch (error) {
    if (error instanceof Error && (isRowError(error) || sqlState(error) === '21000')) return { error }
    throw error
  }
}

function rejectOf(row: RowSelection, error: Error, { shape, complete }: BisectOptions): Reject {
  const record = rowRecord(Buffer.concat([...chunksOf(row)]).toString(), shape)
  const { detail, column } = error as { detail?: unknown; column?: unknown }
  const more = [typeof column === 'string' ? `column ${column}` : '', typeof detail === 'string' ? detail : '']
    .filter((text) => text !== '')
    .join(', ')
  return {
    stage: 'database',
    reason: `${error.message} (SQLSTATE ${sqlState(error)}${more === '' ? '' : `; ${more}`}). ${remedyFor(error)}`,
    record: complete ? complete(row, record) : record,
  }
}

const REMEDIES: Readonly<Record<string, string>> = {
  '23502': 'Give it a value with .map(), or let the column be null',
  '23503': 'Load the row that it refers to first, or drop the foreign key',
  '23505': 'Correct it in a stage such as .map(), or drop that constraint of the table',
  '23P01': 'Correct it in a stage such as .map(), or drop that constraint of the table',
  '23514': 'Correct it in a stage such as .map(), or change the check of the table',
}

/** Returns the sentence that says how a row that the database refused could be stored. */
function remedyFor(error: Error): string {
  if (error.message.startsWith('row is too big'))
    return "Let the table have fewer columns, as in overflow: { column: 'rest', columns: 200 }, or leave fields out"
  if (error.message.startsWith('no partition of relation'))
    return 'Create the partition for it, or a default partition, and replay the reject'
  if (error.message.endsWith(': ""')) return "Declare the column with emptyText: 'null' to read '' as null"
  const remedy = REMEDIES[sqlState(error) ?? '']
  return remedy ?? 'Correct it in a stage such as .map(), or change the column or the trigger that refuses it'
}

function tooMany(rejects: readonly Reject[], { table, maxRejects }: BisectOptions): TooManyRejectsError {
  const reasons = [...new Set(rejects.map(({ reason }) => reason))].slice(0, 3).join('; ')
  return new TooManyRejectsError(
    `${table}: the database refused more than ${maxRejects} rows of one batch, the limit of maxRejects (${reasons}). ` +
      'Nothing of this batch was stored. Correct the records or the table, or raise maxRejects',
  )
}
