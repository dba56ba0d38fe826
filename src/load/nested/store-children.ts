// Writes the rows of nested lists beside the rows of their records, in the same transaction.
import { quoteIdentifier, quoteLiteral, quoteTable } from '../../database/quote.ts'
import type { Transaction } from '../../database/transaction.ts'
import type { ChildCounts } from '../../model/batch.ts'
import type { Table } from '../../model/recipe.ts'
import type { Slice } from '../../model/slice.ts'
import { KEEP_LAST, keptBySql, keyTextSql, type DeletionReason } from '../deleted/deleted-rows.ts'
import type { RowShape } from '../encode/encoded-page.ts'
import { splitByShape, type RowRange, type RowSelection } from '../row-selection.ts'
import type { LoadedColumn } from '../shape/loaded-column.ts'
import { columnName } from '../shape/column-name.ts'
import { columnList } from '../shape/shape-check.ts'
import { ABSENT_COLUMN, notOlderSql, upsertSql } from '../upsert-sql.ts'
import { copyToStaging, parseCounts } from '../write-modes.ts'
import type { ChildTable } from './child-tables.ts'
import type { OpenChild } from './nested-encoder.ts'

/** The records whose lists are brought to what they hold, as a temporary table of their keys. */
export interface Parents {
  readonly table: string
  /** The columns of the record's key, in the order of its definition, without that of the account. */
  readonly keys: readonly string[]
  /** The bit that says that a record does not have its first list; undefined if absence has no meaning. */
  readonly firstList: number | undefined
}

let parentTables = 0

/** Returns the statement that makes writers of lists wait for each other until they commit. */
export const childrenLockSql = (table: string): string =>
  `select pg_advisory_xact_lock(hashtextextended(${quoteLiteral(`sluice children of ${table}`)}, 0))`

export interface GoneOptions {
  /** The table of the rows. */
  readonly table: Table
  /** A staging table or query with the keys of the rows. */
  readonly source: string
  readonly columns: readonly LoadedColumn[]
  readonly slice: Pick<Slice, 'id' | 'pipeline' | 'stream'>
  readonly reason: DeletionReason
}

/**
 * Returns the statement that deletes the entries of a list of those rows that are gone, and keeps them for their row.
 * It returns their number as `deleted`.
 */
export function goneSql(
  { parentFields, table: { name, key, account } }: ChildTable,
  { table, source, columns, slice, reason }: GoneOptions,
): string {
  const keys = columns.filter(({ key }) => key).map((column) => quoteIdentifier(column.name))
  const ofAccount = account ? [quoteIdentifier(account.name)] : []
  const parents = [...ofAccount, ...rootKeys(table, { columns })]
  const own = [
    ...ofAccount,
    ...parentFields.slice(0, table.key.length).map((field) => quoteIdentifier(columnName(field))),
  ]
  const deletion = `delete from ${quoteTable(name)} as c using ${source} as d where ${equal(own, 'c', parents, 'd')}
    and not exists (select from ${quoteTable(table.name)} as t where ${equal(keys, 't', keys, 'd')})`
  if (table.undo === false)
    return `with gone as (
  ${deletion}
  returning 1
)
select count(*) as deleted from gone`
  const entryKey = [...(account ? [account.name] : []), ...key.map(columnName)].map((one) => ({ name: one, key: true }))
  return `with gone as (
  ${deletion}
  returning ${keyTextSql('c', entryKey)} as key, row_to_json(c) as row, ${keyTextSql('d', columns)} as parent
), kept as (
  insert into sluice.deleted_rows as o (table_name, key, row, parent_table, parent_key, pipeline, stream, slice, run,
    reason, expires_at)
  select ${quoteLiteral(name)}, gone.key, gone.row, ${quoteLiteral(table.name)}, gone.parent,
    ${keptBySql(table, slice, reason)}
  from gone
  ${KEEP_LAST}
)
select count(*) as deleted from gone`
}

/**
 * Returns the records of a batch that may touch their lists: those that are not older than the row that is stored now.
 * Call it after the rows are written.
 *
 * A lock makes writers of lists wait for each other until they commit. A row that has not changed is not locked, so
 * without it another run could store a newer version of the record between this look and the lists.
 */
export async function acceptedParents(
  transaction: Transaction,
  table: Table,
  { source, shape, round }: { readonly source: string; readonly shape: RowShape; readonly round: number | undefined },
): Promise<Parents> {
  await transaction.run(childrenLockSql(table.name))
  const { version, marksAbsent = false } = shape
  const keys = keysOf(shape)
  const list = [...keys, ...(marksAbsent ? [quoteIdentifier(ABSENT_COLUMN)] : [])].map((name) => `s.${name}`)
  const isNewer = version ? ` and ${notOlderSql(version, 'o', 's')}` : ''
  const stored = `select from ${quoteTable(table.name)} as o where ${equal(keys, 'o', keys, 's')}${isNewer}`
  const select = `select ${list.join(', ')} from ${source} as s where exists (${stored})`
  return {
    table: await parentsTable(transaction, select, { hash: shape.hash, round }),
    keys: rootKeys(table, shape),
    firstList: marksAbsent ? shape.columns.length : undefined,
  }
}

/** Returns the records whose rows a statement inserts: it returns their keys. */
export async function insertedParents(
  transaction: Transaction,
  table: Table,
  { source, shape, insertSql }: { readonly source: string; readonly shape: RowShape; readonly insertSql: string },
): Promise<Parents & { readonly inserted: number }> {
  await transaction.run(childrenLockSql(table.name))
  const list = columnList(shape.columns.filter(({ key }) => key))
  const name = await parentsTable(transaction, `select ${list} from ${source} where false`, { hash: shape.hash })
  await transaction.run(`with written as (${insertSql}) insert into ${name} select ${list} from written`)
  const { inserted } = await transaction.one<{ inserted: string }>(`select count(*) as inserted from ${name}`)
  return { table: name, keys: rootKeys(table, shape), firstList: undefined, inserted: Number(inserted) }
}

async function parentsTable(
  transaction: Transaction,
  select: string,
  { hash, round = 0 }: { readonly hash: string; readonly round?: number | undefined },
): Promise<string> {
  if (round === 0) parentTables += 1
  const name = round === 0 ? `sluice_parents_${parentTables}` : `sluice_parents_${hash}`
  await transaction.run(
    [
      `create temporary table ${round === 0 ? '' : 'if not exists '}${name} on commit drop as ${select} limit 0`,
      ...(round === 0 ? [] : [`truncate pg_temp.${name}`]),
      `insert into pg_temp.${name} ${select}`,
      // Without it the planner would rather read the whole table of a list than look up a few parents.
      `analyze pg_temp.${name}`,
    ].join(';\n'),
  )
  return `pg_temp.${name}`
}

/**
 * Brings the lists of the parents to what their records hold: entries that are gone are deleted, new ones inserted, and
 * those that differ updated.
 */
export async function storeChild(
  transaction: Transaction,
  rows: RowSelection,
  parents: Parents,
  { child, open, index }: OpenChild & { readonly index: number },
): Promise<ChildCounts | undefined> {
  const { shape } = open
  // No list has ever had an entry.
  if (!shape) return undefined
  const { table } = child
  const parts: { readonly staging: string; readonly shape: RowShape }[] = []
  for (const part of splitByShape(entriesOf(rows, index)))
    parts.push({ staging: await copyToStaging(transaction, table.name, part.rows, part.shape), shape: part.shape })

  const account = table.account ? [quoteIdentifier(table.account.name)] : []
  const rootFields = child.parentFields.slice(0, parents.keys.length)
  const ownKeys = [...account, ...rootFields.map((field) => quoteIdentifier(columnName(field)))]
  const inOrder = [...account, ...parents.keys]
  const keys = [...account, ...table.key.map((field) => quoteIdentifier(columnName(field)))]
  const isThere =
    parents.firstList === undefined
      ? ''
      : ` and get_bit(p.${quoteIdentifier(ABSENT_COLUMN)}, ${parents.firstList + child.list}) is distinct from 1`
  const ofParent = (alias: string): string => `${equal(inOrder, 'p', ownKeys, alias)}${isThere}`

  const stays = parts.map(
    ({ staging }) => ` and not exists (select from ${staging} as e where ${equal(keys, 'e', keys, 'c')})`,
  )
  const { deleted } = parseCounts(
    await transaction.one(`with gone as (
  delete from ${quoteTable(table.name)} as c using ${parents.table} as p where ${ofParent('c')}${stays.join('')}
  returning 1
)
select count(*) as deleted from gone`),
  )
  const sum = { inserted: 0, updated: 0, unchanged: 0, deleted }
  for (const { staging, shape: own } of parts) {
    const ofAccepted = `exists (select from ${parents.table} as p where ${ofParent('e')})`
    const source = `(select e.* from ${staging} as e where ${ofAccepted})`
    const { sent } = await transaction.one<{ sent: string }>(`select count(*) as sent from ${source} as s`)
    const { inserted, updated } = parseCounts(
      await transaction.one(
        upsertSql({
          table: quoteTable(table.name),
          source,
          columns: own.columns,
          loadedAt: table.loadedAt,
          lineage: table.lineage,
          hidesXmax: shape.hidesXmax,
        }),
      ),
    )
    sum.inserted += inserted
    sum.updated += updated
    sum.unchanged += Number(sent) - inserted - updated
  }
  return sum
}

/** Returns the nested rows of a selection, without those that another one of their list replaces. */
export function entriesOf({ ranges, round = 0 }: RowSelection, index: number): RowSelection {
  const nested: RowRange[] = []
  let count = 0
  for (const { page, from, to } of ranges) {
    const of = page.nested[index]
    if (!of) continue
    const end = of.starts[to] ?? 0
    let start = of.starts[from] ?? 0
    const take = (until: number): void => {
      if (start < until) nested.push({ page: of.rows, from: start, to: until })
      count += Math.max(0, until - start)
      start = until + 1
    }
    if (of.dropped.size > 0) for (let row = start; row < end; row += 1) if (of.dropped.has(row)) take(row)
    take(end)
  }
  return { ranges: nested, rows: count, round }
}

/** The columns of the key, with that of the account. */
const keysOf = ({ columns }: RowShape): string[] =>
  columns.filter(({ key }) => key).map(({ name }) => quoteIdentifier(name))

const rootKeys = ({ key }: Table, { columns }: Pick<RowShape, 'columns'>): string[] =>
  key.flatMap((field) => columns.filter((column) => column.field === field).map(({ name }) => quoteIdentifier(name)))

const equal = (names: readonly string[], of: string, others: readonly string[], other: string): string =>
  names.map((name, index) => `${of}.${name} = ${other}.${others[index]}`).join(' and ')
