import type { Database } from '../../database/database.ts'
import { formatCount } from '../../value/format.ts'
import { quoteTable } from '../../database/quote.ts'
import { columnName } from '../../load/shape/column-name.ts'
import { typeDifferences, undefinedTypes } from '../../load/shape/declared-types.ts'
import { declaredType } from '../../load/shape/fields.ts'
import { readShape } from '../../load/shape/table-shape.ts'
import { SchemaError } from '../../model/errors.ts'
import type { Table } from '../../model/recipe.ts'

/** Checks the key, the columns and the rights of a table. Returns the result, or throws the problem with its remedy. */
export async function checkTable(database: Database, table: Table): Promise<string> {
  const shape = await readShape(database, table)
  const [undefinedType] = shape ? [] : await undefinedTypes(database, table)
  if (undefinedType !== undefined) throw new SchemaError(undefinedType)
  if (!shape) return checkMayCreate(database, table)
  await checkRights(database, table)
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
  const [difference] = await typeDifferences(database, table, shape)
  if (difference !== undefined) throw new SchemaError(difference)
  const key = table.key.length > 0 ? `, unique by ${table.key.map(columnName).join(', ')}` : ''
  const added = missing.length > 0 ? `; ${missing.join(', ')} will be added` : ''
  return `exists, ${formatCount(shape.columns.size, 'column')}${key}${added}`
}

async function checkMayCreate(database: Database, { name }: Table): Promise<string> {
  const [schema = ''] = name.split('.')
  const { hasSchema, mayCreateTable, mayCreateSchema } = await database.one<{
    hasSchema: boolean
    mayCreateTable: boolean | null
    mayCreateSchema: boolean
  }>(
    `select n.oid is not null as "hasSchema", has_schema_privilege(n.oid, 'create') as "mayCreateTable",
            has_database_privilege(current_database(), 'create') as "mayCreateSchema"
       from (values (1)) as one left join pg_namespace as n on n.nspname = $1`,
    [schema],
  )
  if (hasSchema ? mayCreateTable === true : mayCreateSchema)
    return 'does not exist; the first run with a record creates it'
  const [object, target] = hasSchema
    ? [`a table in schema ${schema}`, `schema ${schema}`]
    : [`schema ${schema}`, 'database …']
  throw new SchemaError(
    `${name}: the table does not exist, and this user may not create ${object}. ` +
      `Let its owner run: grant create on ${target} to …`,
  )
}

const NEEDED_RIGHTS = {
  append: ['insert'],
  merge: ['select', 'insert', 'update'],
  replace: ['select', 'insert', 'update', 'delete'],
} as const

async function checkRights(database: Database, { name, write }: Table): Promise<void> {
  const rights = NEEDED_RIGHTS[write]
  const granted = await database.one<Record<string, boolean>>(
    `select ${rights.map((right) => `has_table_privilege($1, '${right}') as "${right}"`).join(', ')}`,
    [quoteTable(name)],
  )
  const missing = rights.filter((right) => !granted[right])
  if (missing.length > 0)
    throw new SchemaError(
      `${name}: this user lacks the right to ${missing.join(', ')}. ` +
        `Let its owner run: grant ${missing.join(', ')} on ${name} to …`,
    )
}
