import { readCreationRight } from '../../database/creation-right.ts'
import type { Database } from '../../database/database.ts'
import type { SchemaState } from '../../database/migrate.ts'
import { formatCount } from '../../value/format.ts'
import { createdTables } from '../../ledger/created-tables.ts'
import { continues } from '../../ledger/read/has-stored.ts'
import { historyColumns } from '../../load/history/columns.ts'
import { columnName } from '../../load/shape/column-name.ts'
import { typeDifferences, undefinedTypes } from '../../load/shape/declared-types.ts'
import { declaredType, Fields } from '../../load/shape/fields.ts'
import { deletesUnread, mayAlter, refusedReplace } from '../../load/shape/ownership.ts'
import { plannedChange } from '../../load/shape/planned-change.ts'
import { missingRights } from '../../load/shape/rights.ts'
import { readShape, type TableShape } from '../../load/shape/table-shape.ts'
import { isRecord } from '../../load/values/value-kind.ts'
import { SchemaError } from '../../model/errors.ts'
import type { Table } from '../../model/recipe.ts'
import { defined } from '../../value/defined.ts'
import { missingTable } from '../sync/lost-table.ts'
import { checkColumns, checkEntries, type EntriesOfList } from './check-columns.ts'
import type { Checked, Remark } from './finding.ts'

export interface TableCheck {
  readonly pipeline: string
  readonly stream: string
  readonly table: Table
  /** Rows of the first page that a new table could store. Undefined if they are not known. */
  readonly rows: readonly unknown[] | undefined
  readonly ledger: SchemaState
  /** The table is that of a nested list: its rows are deleted, too, and it is made for the first entry. */
  readonly list?: EntriesOfList
  /** The stream has `.deleted()`. @default false */
  readonly announces?: boolean
}

/**
 * Checks the key, the columns and the rights of a table, what a run would change in it, and whether it takes the rows
 * of the first page. Returns the result, or throws the problem with its remedy.
 */
export async function checkTable(database: Database, check: TableCheck): Promise<Checked> {
  const { table, rows = [], list, announces = false } = check
  const shape = await readShape(database, table)
  const [undefinedType] = shape ? [] : await undefinedTypes(database, table)
  if (undefinedType !== undefined) throw new SchemaError(undefinedType)
  if (!shape) return { text: await checkMissing(database, check) }
  const fields = new Fields(table, `${check.pipeline}.${check.stream}`, shape)
  for (const row of check.rows ?? []) if (isRecord(row)) fields.learn(Object.keys(row))
  const lacking = await missingRights(database, table, {
    columns: fields.columns,
    isList: list !== undefined,
    announces,
  })
  if (lacking) throw lacking
  const missing = missingColumns(table, shape)
  const differences = await typeDifferences(database, table, shape)
  if (differences.length > 0) throw new SchemaError(differences.join('. '))
  const versions = table.write === 'history' && shape.isHistory ? [historyColumns.from] : []
  const key = table.key.length > 0 ? `, unique by ${[...table.key.map(columnName), ...versions].join(', ')}` : ''
  const change = await changeText(database, check, shape)
  const added = change === undefined && missing.length > 0 ? `; ${missing.join(', ')} will be added` : ''
  return {
    text: `exists, ${formatCount(shape.columns.size, 'column')}${key}${change ? `; ${change}` : added}`,
    // What a contract rejects stands in the text.
    remarks: change && table.onSchemaChange === 'reject' ? [] : refusedRows(rows, check, shape),
  }
}

/** What the table would refuse. The values of an entry are checked with those of its record. */
function refusedRows(
  rows: readonly unknown[],
  { table, pipeline, stream, list }: TableCheck,
  shape: TableShape,
): Remark[] {
  const at = { table, stream: `${pipeline}.${stream}`, shape }
  return list ? checkEntries(rows, list, at) : checkColumns(rows, at)
}

/** Returns what a run would change in the table; undefined if that is not known. Throws if it may not. */
async function changeText(
  database: Database,
  { pipeline, stream, table, rows, ledger }: TableCheck,
  shape: TableShape,
): Promise<string | undefined> {
  // An older ledger does not know yet which tables are Sluice's own. The next run's migration records them.
  if (ledger === 'old') return undefined
  const created = ledger === 'current' ? createdTables : undefined
  const connection = database.with({})
  if (deletesUnread(table) && !(await mayAlter(connection, table, shape, created))) throw refusedReplace(table)
  if (!rows) return undefined
  const change = await plannedChange(connection, table, {
    stream: `${pipeline}.${stream}`,
    shape,
    records: rows,
    ...defined({ created }),
  })
  if (change === '') return ''
  if (table.onSchemaChange === 'freeze')
    throw new SchemaError(
      `${table.name}: the first page needs a change (${change}), and onSchemaChange is 'freeze'. ` +
        "Make it yourself, leave fields out with columns: { FIELD: false }, or choose 'evolve'",
    )
  return table.onSchemaChange === 'reject'
    ? `a run rejects records that need a change: ${change}`
    : `a run changes it: ${change}`
}

/** Returns the declared columns that the table lacks. */
function missingColumns(table: Table, shape: TableShape): string[] {
  const declared = Object.keys(table.columns)
    .filter((field) => declaredType(table, field) !== undefined)
    .map(columnName)
  const missing = declared.filter((column) => !shape.columns.has(column))
  if (missing.length > 0 && table.onSchemaChange !== 'evolve')
    throw new SchemaError(
      `${table.name}: ${missing.length === 1 ? 'the declared column' : 'the declared columns'} ${missing.join(', ')} ` +
        `${missing.length === 1 ? 'is' : 'are'} missing, and onSchemaChange is '${table.onSchemaChange}'. ` +
        "Add what is missing, or choose 'evolve'",
    )
  return missing
}

async function checkMissing(
  database: Database,
  { pipeline, stream, table, ledger, list }: TableCheck,
): Promise<string> {
  // A replace reads everything, and a list may never have had an entry.
  const isExpected = ledger === 'current' && table.write !== 'replace' && !list
  if (isExpected && (await continues(database, { pipeline, stream })))
    throw missingTable(`${pipeline}.${stream}`, table, 'what is new')
  return checkMayCreate(database, table, list ? 'an entry of the list' : 'a record')
}

async function checkMayCreate(database: Database, { name }: Table, first: string): Promise<string> {
  const { problem } = await readCreationRight(database, name)
  if (problem !== undefined) throw new SchemaError(`${name}: ${problem}`, { explanation: 'DATABASE_RIGHTS' })
  return `does not exist; the first run with ${first} creates it`
}
