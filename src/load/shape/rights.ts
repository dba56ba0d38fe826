// What the user of the database may do with a table: rights of the table or of its columns, and row security.
import type { TableInfo } from '../../database/catalog.ts'
import type { Queryable } from '../../database/queryable.ts'
import { quoteIdentifier, quoteTable, splitTable } from '../../database/quote.ts'
import { marksDeleted, removesAnnounced } from '../../model/deletions.ts'
import { SchemaError } from '../../model/errors.ts'
import type { Table } from '../../model/recipe.ts'
import { changingColumns } from '../upsert-sql.ts'
import type { LoadedColumn } from './loaded-column.ts'
import { addedColumns } from './system-columns.ts'

type Right = 'select' | 'insert' | 'update' | 'delete'

const OF_MODES: Readonly<Record<Table['write'], readonly Right[]>> = {
  append: ['insert'],
  merge: ['select', 'insert', 'update'],
  history: ['select', 'insert', 'update'],
  replace: ['select', 'insert', 'update', 'delete'],
}

/** Returns the rights that a table needs. `deletes`: its rows are deleted, also if it is no mirror. */
const neededRights = ({ write, key, mirror, deleted }: Table, deletes: boolean): Right[] => [
  ...(write === 'append' && key.length > 0 ? (['select'] as const) : []),
  ...OF_MODES[write],
  ...(deletes || (mirror && write === 'merge' && deleted !== 'mark') ? (['delete'] as const) : []),
]

export interface RightsOptions {
  /** The columns that are written. */
  readonly columns: readonly LoadedColumn[]
  /** The table of a nested list, whose entries are deleted. @default false */
  readonly isList?: boolean
  /** The source announces deleted records: `.deleted()`. @default false */
  readonly announces?: boolean
  /** The error that a missing right has caused. */
  readonly cause?: unknown
}

interface Found {
  readonly user: string
  readonly owner: string
  readonly mayUseSchema: boolean
  readonly missing: readonly { readonly right: Right; readonly columns: readonly string[] | null }[]
}

/**
 * Returns an error that names the rights that the user lacks for a table, by column where others are there, and the
 * statement that grants them; undefined if nothing is missing.
 */
export async function missingRights(
  on: Queryable,
  table: Table,
  { columns, isList = false, announces = false, cause }: RightsOptions,
): Promise<SchemaError | undefined> {
  const { name, write, key } = table
  const added = addedColumns(table).map((column) => column.name)
  const names = (all: readonly LoadedColumn[]): string[] => [...all.map((column) => column.name), ...added]
  const found = await on.maybeOne<Found>(QUERY, [
    splitTable(name).schema,
    splitTable(name).table,
    names(columns),
    neededRights(table, isList || (announces && write === 'merge' && removesAnnounced(table) && !marksDeleted(table))),
    // Rows are copied straight into the table, which is locked for that. A history writes columns of its own.
    write === 'history' || (write === 'append' && key.length === 0),
    names(changingColumns(columns)),
  ])
  if (!found) return undefined
  const { user, owner, mayUseSchema, missing } = found
  if (mayUseSchema && missing.length === 0) return undefined
  const to = quoteIdentifier(user)
  const { schema } = splitTable(name)
  const texts = [
    ...(mayUseSchema ? [] : [`use the schema ${schema}`]),
    ...missing.map((one) => (one.columns ? `${one.right} the columns ${one.columns.join(', ')}` : one.right)),
  ]
  const grants = missing.map((one) =>
    one.columns ? `${one.right} (${one.columns.map(quoteIdentifier).join(', ')})` : one.right,
  )
  const statements = [
    ...(mayUseSchema ? [] : [`grant usage on schema ${quoteIdentifier(schema)} to ${to}`]),
    ...(grants.length > 0 ? [`grant ${grants.join(', ')} on ${quoteTable(name)} to ${to}`] : []),
  ]
  return new SchemaError(
    `${name}: the user ${user} lacks the right to ${texts.join(', ')}. ` +
      `Let its owner ${owner} run: ${statements.join('; ')}`,
    { explanation: 'DATABASE_RIGHTS', cause },
  )
}

// A right of the whole table counts for each column. The names are looked up in the catalog, which needs no right.
const QUERY = `
select current_user as "user", pg_get_userbyid(c.relowner) as owner,
  has_schema_privilege(n.oid, 'usage') as "mayUseSchema",
  coalesce((
    select json_agg(json_build_object('right', wanted, 'columns', case when by_column then lacking end) order by place)
    from unnest($4::text[]) with ordinality as needed (wanted, place)
      cross join lateral (select wanted <> 'delete' and not $5::boolean as may_be_by_column) as kind
      cross join lateral (
        select array_agg(attname order by attnum) filter (where not granted) as lacking, bool_or(granted) as any_granted
        from (
          select attname, attnum, may_be_by_column and has_column_privilege(c.oid, attnum,
                   case when may_be_by_column then wanted else 'select' end) as granted
          from pg_attribute
          where attrelid = c.oid and attnum > 0 and not attisdropped
            and attname = any(case wanted when 'update' then $6::text[] else $3::text[] end)
        ) as one
      ) as columns
      cross join lateral (select coalesce(any_granted, false) as by_column) as how
    where not has_table_privilege(c.oid, wanted) and (lacking is not null or not by_column)
  ), '[]') as missing
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = $1 and c.relname = $2 and c.relkind in ('r', 'p')`

/**
 * Throws if row security may hide rows of a table from this user. A row that is hidden is not found: it would be stored
 * a second time, not updated or not deleted, without an error.
 */
export function refuseHiddenRows({ rowSecurity }: TableInfo, table: Table): void {
  if (!rowSecurity) return
  const { name, write, key } = table
  const { user, open } = rowSecurity
  const to = quoteIdentifier(user)
  const bypass = `alter role ${to} bypassrls`
  if (write === 'append' && key.length === 0)
    throw new SchemaError(
      `${name}: row security is active on it for the user ${user}, and PostgreSQL then copies no rows into a table. ` +
        `Give the stream a key, or let an administrator run: ${bypass}`,
      { explanation: 'DATABASE_RIGHTS' },
    )
  const needed = new Set<Right>(['select', ...neededRights(table, false)])
  if (removesAnnounced(table) && !marksDeleted(table)) needed.add('delete')
  const limited = [...needed].filter((right) => !open.includes(right))
  if (limited.length > 0)
    throw new SchemaError(
      `${name}: row security is active on it for the user ${user}, and may limit which rows it can ` +
        `${limited.join(', ')}. Rows that a policy hides would not be found, and the table would differ from its ` +
        `source without an error. Let its owner give this user all rows, and leave it out of restrictive policies: ` +
        `create policy sluice on ${quoteTable(name)} to ${to} using (true) with check (true); or run: ${bypass}`,
      { explanation: 'DATABASE_RIGHTS' },
    )
}
