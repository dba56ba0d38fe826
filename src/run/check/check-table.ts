import type { Database } from '../../database/database.ts'
import { quoteLiteral, quoteTable } from '../../database/quote.ts'
import { columnName } from '../../load/shape/column-name.ts'
import { typeDifferences, undefinedTypes } from '../../load/shape/declared-types.ts'
import { readShape } from '../../load/shape/table-shape.ts'
import { SchemaError } from '../../model/errors.ts'
import type { Table } from '../../model/recipe.ts'

/**
 * Whether a table can be written as its stream says: its key, its columns, our rights. Answers what was found, or
 * throws place, fault and remedy.
 */
export async function checkTable(database: Database, table: Table): Promise<string> {
  const shape = await readShape(database, table)
  const [undefinedType] = shape ? [] : await undefinedTypes(database, table)
  if (undefinedType !== undefined) throw new SchemaError(undefinedType)
  if (!shape) return mayMake(database, table)
  await checkRights(database, table)
  const declared = Object.entries(table.columns)
    .filter(([, declaration]) => declaration !== false && declaration !== undefined)
    .map(([field]) => columnName(field))
  const missing = declared.filter((column) => !shape.columns.has(column))
  if (missing.length > 0 && table.onSchemaChange !== 'evolve')
    throw new SchemaError(
      `${table.name}: the column ${missing.join(', ')} is declared and not there, and the table's shape is ${table.onSchemaChange}: add it, or let the shape evolve`,
    )
  const [difference] = await typeDifferences(database, table, shape)
  if (difference !== undefined) throw new SchemaError(difference)
  const key = table.key.length > 0 ? `, unique by ${table.key.map(columnName).join(', ')}` : ''
  return `there, ${shape.columns.size} columns${key}${missing.length > 0 ? `; ${missing.join(', ')} will be added` : ''}`
}

async function mayMake(database: Database, { name }: Table): Promise<string> {
  const [schema = ''] = name.split('.')
  const {
    there,
    may,
    database: mayAddSchema,
  } = await database.one<{ there: boolean; may: boolean | null; database: boolean }>(
    `select n.oid is not null as there, has_schema_privilege(n.oid, 'create') as may, has_database_privilege(current_database(), 'create') as database
       from (values (1)) as one left join pg_namespace as n on n.nspname = $1`,
    [schema],
  )
  if (there ? may === true : mayAddSchema) return 'not there yet; made by the first run that reads a record'
  throw new SchemaError(
    `${name}: it is not there, and this user may not make ${there ? `a table in schema ${schema}` : `schema ${schema}`}. Let its owner run: grant create on ${there ? `schema ${schema}` : 'database …'} to …`,
  )
}

const needed = {
  append: ['insert'],
  merge: ['select', 'insert', 'update'],
  replace: ['select', 'insert', 'update', 'delete'],
} as const

async function checkRights(database: Database, { name, write }: Table): Promise<void> {
  const rights = needed[write]
  const granted = await database.one<Record<string, boolean>>(
    `select ${rights.map((right) => `has_table_privilege(${quoteLiteral(quoteTable(name))}, '${right}') as "${right}"`).join(', ')}`,
  )
  const missing = rights.filter((right) => !granted[right])
  if (missing.length > 0)
    throw new SchemaError(
      `${name}: this user lacks the right to ${missing.join(', ')}. Let its owner run: grant ${missing.join(', ')} on ${name} to …`,
    )
}
