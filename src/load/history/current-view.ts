// The view of a history's current rows, as a table without a history would have them.
import type { Queryable } from '../../database/queryable.ts'
import { quoteLiteral, quoteTable, splitTable } from '../../database/quote.ts'
import { SchemaError } from '../../model/errors.ts'
import { columnList } from '../shape/shape-check.ts'
import { isHistoryColumn, TO } from './columns.ts'

/** Returns the name of the view: `shop.orders_current`. */
export const currentViewName = (table: string): string => `${table}_current`

/** A view that exists, with what is lost when it is dropped. */
export interface CurrentView {
  readonly columns: readonly ViewColumn[]
  /** The statements that give its rights, its owner and its options back. */
  readonly restore: readonly string[]
}

interface ViewColumn {
  readonly name: string
  readonly type: string
}

interface Found {
  readonly kind: string | null
  readonly comment: string | null
  readonly columns: readonly ViewColumn[] | null
  readonly restore: readonly string[] | null
  readonly tableColumns: readonly ViewColumn[]
}

/** The view of a table, and the columns that it should have. */
export interface CurrentViewState {
  readonly view: CurrentView | undefined
  readonly wanted: readonly ViewColumn[]
}

/** Reads the view of a table. Throws if another object has its name. */
export async function readCurrentView(on: Queryable, table: string): Promise<CurrentViewState> {
  const name = currentViewName(table)
  const { kind, comment, columns, restore, tableColumns } = await on.one<Found>(QUERY, [
    quoteTable(name),
    quoteTable(table),
  ])
  if (kind !== null && (kind !== 'v' || comment !== commentOf(table)))
    throw new SchemaError(
      `${table}: the view of its current rows is to be ${name}, and Sluice did not make what has this name. ` +
        `Rename one of them, or, if it is a view that nobody needs, run: drop view ${quoteTable(name)}`,
    )
  return {
    view: kind === null ? undefined : { columns: columns ?? [], restore: restore ?? [] },
    wanted: tableColumns.filter((column) => !isHistoryColumn(column.name)),
  }
}

/** Returns the statement that drops the view, which hinders a change of the table's types. */
export const dropViewSql = (table: string): string => `drop view ${quoteTable(currentViewName(table))}`

/**
 * Returns the statements that make the view, or give it the columns of its table; none if it has them. A view to which
 * columns are added keeps its rights, and other views may use it. `dropped` is a view that was there before.
 */
export function viewStatements(table: string, { view, wanted }: CurrentViewState, dropped?: CurrentView): string[] {
  const before = view?.columns ?? []
  if (view && before.length === wanted.length && isStartOf(before, wanted)) return []
  const name = quoteTable(currentViewName(table))
  const query = `as select ${columnList(wanted)} from ${quoteTable(table)} where ${TO} is null`
  if (view && isStartOf(before, wanted)) return [`create or replace view ${name} ${query}`]
  return [
    ...(view ? [dropViewSql(table)] : []),
    `create view ${name} ${query}`,
    `comment on view ${name} is ${quoteLiteral(commentOf(table))}`,
    ...((view ?? dropped)?.restore ?? []),
  ]
}

const isStartOf = (some: readonly ViewColumn[], all: readonly ViewColumn[]): boolean =>
  some.every(({ name, type }, index) => all[index]?.name === name && all[index].type === type)

/** The comment by which Sluice knows its own view, and people what it is. */
const commentOf = (table: string): string => `Sluice: the current rows of ${splitTable(table).table}`

const COLUMNS = `select json_agg(json_build_object('name', attname, 'type', format_type(atttypid, atttypmod))
    order by attnum)
  from pg_attribute where attnum > 0 and not attisdropped and attrelid`

const QUERY = `select c.relkind as kind, obj_description(c.oid, 'pg_class') as comment,
  (${COLUMNS} = c.oid) as columns,
  coalesce((${COLUMNS} = to_regclass($2)), '[]') as "tableColumns",
  (
    select json_agg(statement order by place) from (
      select 1 as place, format('alter view %s set (%s)', c.oid::regclass, array_to_string(c.reloptions, ', '))
        as statement
      where c.reloptions is not null
      union all
      select 2, format('grant %s on %s to %s%s', privilege_type, c.oid::regclass,
        case when grantee = 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end,
        case when is_grantable then ' with grant option' else '' end)
      from aclexplode(c.relacl) where grantee <> c.relowner
      union all
      select 3, format('alter view %s owner to %I', c.oid::regclass, pg_get_userbyid(c.relowner))
      where pg_get_userbyid(c.relowner) <> current_user
    ) as lost
  ) as restore
from (values (to_regclass($1))) as wanted (oid) left join pg_class as c on c.oid = wanted.oid`
