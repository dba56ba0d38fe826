import type { Queryable } from '../../database/queryable.ts'
import { SchemaError } from '../../model/errors.ts'
import type { Table } from '../../model/recipe.ts'
import { shorten } from '../../value/text.ts'
import type { TableShape } from './table-shape.ts'

/** Remembers which tables Sluice has created. The ledger does. */
export interface CreatedTables {
  has: (on: Queryable, table: string) => Promise<boolean>
  /** Returns the statement that records a table, for the transaction that creates it. */
  recordSql: (table: string) => string
}

/**
 * Returns true if a table may be altered and its rows replaced: Sluice has created it, or the pipeline adopts it. A
 * typo in a table's name must not change a table of other programs.
 */
export async function mayAlter(
  on: Queryable,
  table: Table,
  { created }: Pick<TableShape, 'created'>,
  known: CreatedTables | undefined,
): Promise<boolean> {
  return table.adopt === true || created || ((await known?.has(on, table.name)) ?? false)
}

const CORRECT_NAME = 'If another table is meant, correct its name in .into()'

/** The error for a change of a table that Sluice did not create. `change` describes it, and `statements` make it. */
export const refusedAlteration = (
  { name }: Table,
  { change, statements }: { readonly change: string; readonly statements: readonly string[] },
): SchemaError =>
  new SchemaError(
    `${name}: Sluice did not create this table, so it does not alter it. The records need this change: ${change}. ` +
      `To allow such changes, set adopt: true for the table; to make this one yourself, run: ` +
      `${shorten(statements.filter((statement) => !statement.startsWith('comment on ')).join('; '))}. ${CORRECT_NAME}`,
    { explanation: 'TABLE_NOT_OWNED' },
  )

/** True if rows are deleted that a reading does not bring. */
export const deletesUnread = ({ write, mirror }: Table): boolean => write === 'replace' || mirror !== undefined

/** The error for a `replace` or a mirror of a table that Sluice did not create. */
export const refusedReplace = ({ name, write }: Table): SchemaError =>
  new SchemaError(
    `${name}: Sluice did not create this table, and ${write === 'replace' ? "write: 'replace'" : 'mirror'} deletes ` +
      'each of its rows that is not read. ' +
      `To allow that, set adopt: true for the table. ${CORRECT_NAME}`,
    { explanation: 'TABLE_NOT_OWNED' },
  )
