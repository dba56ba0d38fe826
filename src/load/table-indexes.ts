// The indexes that a definition declares, besides the one of the key.
import { createHash } from 'node:crypto'
import type { Database } from '../database/database.ts'
import { quoteIdentifier, quoteTable, splitTable } from '../database/quote.ts'
import type { Table, TableIndex } from '../model/recipe.ts'
import { messageOf } from '../value/error.ts'
import { mayAlter, type CreatedTables } from './shape/ownership.ts'
import { columnName, fitName } from './shape/column-name.ts'
import { readShape } from './shape/table-shape.ts'

export interface IndexesOptions {
  /** The tables that Sluice has created. */
  readonly created?: CreatedTables
  readonly signal?: AbortSignal | undefined
}

export interface BuiltIndexes {
  /** Names of the indexes that were built. */
  readonly built: readonly string[]
  /** Sentences about indexes that could not be built. */
  readonly problems: readonly string[]
}

/** Larger tables are indexed beside their writers, which takes about twice as long. */
const MAX_LOCKED_BYTES = 256 * 2 ** 20

interface ExistingIndex {
  readonly name: string
  readonly method: string
  readonly isValid: boolean
  readonly isPartial: boolean
  /** Another session is building it. */
  readonly isBuilding: boolean
  /** Null in the place of an expression. */
  readonly columns: readonly (string | null)[]
}

/**
 * Builds the declared indexes that a table lacks, and then renews its statistics. It is called after rows were loaded,
 * because an index that is built at once takes a fraction of the time that it costs row by row. The rows are stored
 * already, so what fails is a sentence and no error; the next run tries it again.
 */
export async function buildIndexes(database: Database, table: Table, options: IndexesOptions): Promise<BuiltIndexes> {
  const { indexes = [] } = table
  const connection = database.with({ signal: options.signal })
  const shape = indexes.length === 0 ? undefined : await readShape(connection, table)
  if (!shape) return { built: [], problems: [] }
  const existing = await connection.query<ExistingIndex>(
    `select c.relname as name, m.amname as method, i.indisvalid as "isValid", i.indpred is not null as "isPartial",
            p.pid is not null as "isBuilding",
            array(select a.attname::text from unnest(i.indkey::int2[]) with ordinality as k (number, place)
                    left join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.number and k.number <> 0
                   where k.place <= i.indnkeyatts order by k.place) as columns
       from pg_index i
       join pg_class c on c.oid = i.indexrelid
       join pg_am m on m.oid = c.relam
       left join pg_stat_progress_create_index p on p.index_relid = i.indexrelid
      where i.indrelid = $1::regclass`,
    [quoteTable(table.name)],
  )
  const missing = indexes
    .map((index) => ({ index, name: indexName(table, index) }))
    .filter(({ index, name }) => !existing.some((one) => isBuilt(one, index, name)))
  if (missing.length === 0) return { built: [], problems: [] }
  if (!(await mayAlter(connection, table, shape, options.created))) {
    const statements = missing.map(({ index, name }) => `${indexSql(table, index, name)};`).join(' ')
    return { built: [], problems: [notOwned(statements)] }
  }
  const isBeside = shape.bytes > MAX_LOCKED_BYTES && !shape.partitioned
  const built: string[] = []
  const problems: string[] = []
  for (const { index, name } of missing) {
    const lost = existing.find((one) => one.name === name)
    const absent = index.on.map(columnName).filter((column) => !shape.columns.has(column))
    if (absent.length > 0) {
      problems.push(
        `the index ${name} is not built: the table has no column ${absent.join(', ')}, because no record had it`,
      )
      continue
    }
    try {
      if (lost) await connection.query(`drop index ${inSchema(table, name)}`)
      await build(database, indexSql(table, index, name, isBeside), { isBeside, signal: options.signal })
      built.push(name)
    } catch (error) {
      if (options.signal?.aborted) throw error
      problems.push(`the index ${name} is not built: ${messageOf(error)}. The next run tries it again`)
    }
  }
  if (built.length > 0) await connection.query(`analyze ${quoteTable(table.name)}`)
  return { built, problems }
}

const notOwned = (statements: string): string =>
  'Sluice did not create this table, so it builds no index on it. To allow that, set adopt: true for the table; ' +
  `to build them yourself, run: ${statements}`

/** An index that another one begins with is needed no more, unless its rows or its method are others. */
function isBuilt(one: ExistingIndex, { on, using = 'btree', where }: TableIndex, name: string): boolean {
  // One that is not valid was left by a build that ended early.
  if (one.name === name) return one.isValid || one.isBuilding
  if (where !== undefined || one.isPartial || !one.isValid || one.method !== using) return false
  const columns = on.map(columnName)
  return using === 'btree'
    ? columns.every((column, at) => one.columns[at] === column)
    : one.columns.length === columns.length && columns.every((column, at) => one.columns[at] === column)
}

/** The name that PostgreSQL would give; with the method and a hash of the condition where they differ. */
export function indexName(table: Pick<Table, 'name'>, { on, using, where }: TableIndex): string {
  const parts = [splitTable(table.name).table, ...on.map(columnName)]
  if (using !== undefined && using !== 'btree') parts.push(using)
  if (where !== undefined) parts.push(createHash('sha256').update(where).digest('hex').slice(0, 8))
  const name = `${parts.join('_')}_idx`
  return fitName(name, name)
}

function indexSql(table: Table, { on, using = 'btree', where }: TableIndex, name: string, isBeside = false): string {
  const columns = on.map((field) => quoteIdentifier(columnName(field))).join(', ')
  return (
    `create index ${isBeside ? 'concurrently ' : ''}${quoteIdentifier(name)} on ${quoteTable(table.name)} ` +
    `using ${using} (${columns})${where === undefined ? '' : ` where ${where}`}`
  )
}

const inSchema = (table: Table, name: string): string =>
  `${quoteIdentifier(splitTable(table.name).schema)}.${quoteIdentifier(name)}`

/** Either in a transaction, where writers wait until it ends, or beside them, which no transaction allows. */
async function build(
  database: Database,
  sql: string,
  { isBeside, signal }: { readonly isBeside: boolean; readonly signal: AbortSignal | undefined },
): Promise<void> {
  if (isBeside) {
    await database.query(sql, [], { timeout: '12h', signal })
    return
  }
  await using transaction = await database.transaction({ signal })
  await transaction.commit(sql)
}
