import { hasParentCursors } from '../../ledger/parent-cursors.ts'
import { hasStored } from '../../ledger/read/has-stored.ts'
import { readShape } from '../../load/shape/table-shape.ts'
import type { TableWriter } from '../../load/table-writer.ts'
import { SchemaError } from '../../model/errors.ts'
import type { Table } from '../../model/recipe.ts'
import type { StreamContext } from '../stream-context.ts'
import type { SliceContext } from './slice-context.ts'

/**
 * Throws if the table of a stream that has stored rows is missing. Such a run would store only new records, and
 * nothing would show that the others are missing.
 */
export async function rejectMissingTable({ stream, slice }: SliceContext): Promise<void> {
  const { database, table, streamName, writeSignal: signal } = stream
  const { kind, since, position } = slice
  // A replace reads everything, and a window only its own range.
  if (kind !== 'sync' || table.write === 'replace') return
  const isFromStart = since === undefined && position === null
  if (isFromStart && !(await hasParentCursors(database.with({ signal }), slice))) return
  if (!(await hasStored(database, slice, { signal }))) return
  // Another range of the stream may have created it meanwhile, with the rows that were stored.
  if (slice.chain !== undefined && (await readShape(database, table))) return
  throw missingTable(streamName, table, restOf({ since, position }))
}

function restOf({ since, position }: Pick<SliceContext['slice'], 'since' | 'position'>): string {
  if (position !== null) return 'the rest of an interrupted read'
  return since === undefined
    ? 'the records that are new in lists with a cursor of their own'
    : `the records that are new since ${since}`
}

/** The error for a table that is missing although rows were stored. `rest` is what a run would store. */
export const missingTable = (streamName: string, { name }: Table, rest: string): SchemaError =>
  new SchemaError(
    `${streamName}: ${name}: the table is missing, and rows of this stream were stored before. ` +
      `This run would store only ${rest}. ` +
      'Run with --full to load everything again, or name the table that holds the rows',
  )

/**
 * Throws if the table or columns of it were dropped while it was being loaded. The rows before have lost those values,
 * and reading again would not restore them. Any other change of the table is settled by reading again.
 */
export async function rejectDroppedColumns(target: TableWriter, { streamName, table }: StreamContext): Promise<void> {
  const lost = await target.lostColumns()
  if (lost === 'table')
    throw new SchemaError(
      `${streamName}: ${table.name}: the table was dropped while it was being loaded. ` +
        'Run with --full to load everything again',
    )
  const [first, ...others] = lost
  if (first === undefined) return
  const isOne = others.length === 0
  const columns = isOne ? `the column ${first} was` : `the columns ${lost.join(', ')} were`
  const settings = lost.map((name) => `${name}: false`).join(', ')
  throw new SchemaError(
    `${streamName}: ${table.name}: ${columns} dropped while the table was being loaded. ` +
      `Leave ${isOne ? 'it' : 'them'} out with columns: { ${settings} }, or run with --full to load everything again`,
  )
}
