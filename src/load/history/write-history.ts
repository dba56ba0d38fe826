import { quoteTable } from '../../database/quote.ts'
import type { Transaction } from '../../database/transaction.ts'
import { LoadError } from '../../model/errors.ts'
import type { Table } from '../../model/recipe.ts'
import type { RowShape } from '../encode/encoded-page.ts'
import { keyNames, noteSeenSql } from '../mirror/mirror-sql.ts'
import type { RowSelection } from '../row-selection.ts'
import type { LoadedColumn } from '../shape/loaded-column.ts'
import { columnList, shapeCheckSql } from '../shape/shape-check.ts'
import { copyRows, type StoreRows } from '../write-modes.ts'
import { historySql, SENT } from './history-sql.ts'
import { beginAgainSql } from './missing-rows.ts'
import { versionTime } from './version-time.ts'

let batches = 0

/**
 * Writes rows as versions of a history. New versions count as inserted, corrections of stored versions as updated. The
 * end of an earlier version is no record's fate, and counts as nothing. `seen` are the fields that
 * occurred, and `warn` is told once for each batch of a cursor that is no time.
 */
export const writeHistory =
  (table: Table, seen: ReadonlySet<string>, warn: (message: string) => void): StoreRows =>
  async (transaction, rows, { columns }) => {
    const { name, loadedAt, keepsStored = false } = table
    const time = versionTime(table, columns, seen)
    const ignored = time === 'load' ? columns.find(({ field }) => field === table.versionBy) : undefined
    if (ignored) warn(ignoredVersion(name, ignored))
    batches += 1
    const source = await copyNumbered(transaction, name, rows, columns)
    await lockHistory(transaction, name)
    if (table.mirror) await transaction.run(noteSeenSql(table, source, keyNames(columns)))
    const statements = historySql({
      name,
      source,
      plan: `pg_temp.sluice_plan_${batches}`,
      columns,
      time,
      loadedAt,
      keepsStored: keepsStored && time === 'load',
    })
    const results = await transaction.run(statements.join(';\n'))
    const [corrected, ended, begun, planned] = results.slice(-4).map(({ rows: [row] }) => row)
    const written = { ...corrected, ...ended, ...begun }
    for (const what of ['corrected', 'ended', 'inserted'])
      if (Number(written[what]) !== Number(planned?.[what]))
        throw new LoadError(
          `${name}: ${String(written[what])} of ${String(planned?.[what])} versions were ${what}. ` +
            'A trigger or a rule on the table leaves rows out, or another program changed them at this moment',
        )
    const duplicate = Number(planned?.['duplicate'])
    const again = table.mirror && time !== 'load' ? await beginAgain(transaction, table, { source, columns, time }) : 0
    const inserted = Number(written['inserted']) + again
    // A row may correct the version that has ended, and begin one.
    const updated = Math.min(Number(written['corrected']), rows.rows - inserted - duplicate)
    return { inserted, updated, unchanged: rows.rows - inserted - updated - duplicate, duplicate }
  }

/** Returns the number of records that have come back, after a mirror had ended their versions. */
async function beginAgain(
  transaction: Transaction,
  table: Table,
  options: {
    readonly source: string
    readonly columns: readonly LoadedColumn[]
    readonly time: LoadedColumn | 'unknown'
  },
): Promise<number> {
  const { source, columns, time } = options
  const version = time === 'unknown' ? undefined : time
  const [result] = await transaction.run(beginAgainSql(table, source, columns, version).join(';\n'))
  return Number(result?.rows[0]?.['inserted'] ?? 0)
}

/**
 * Lets one transaction at a time plan and write versions of a table: two that split one version would each take it for
 * current. The lock is one of Sluice's own, because a lock of the table that excludes writers would also stop VACUUM,
 * which a table in constant use would then never get.
 */
export async function lockHistory(transaction: Transaction, table: string): Promise<void> {
  // Another writer may wait for a position, as long as its source takes. The statement's time limit ends the wait.
  // First the table: a transaction that has changed it holds it, and may want the lock of the history next.
  await transaction.run(`lock table ${quoteTable(table)} in row exclusive mode; set local lock_timeout = 0`)
  await transaction.lock(`history ${table}`)
  await transaction.run(`set local lock_timeout = '30s'`)
}

const ignoredVersion = (table: string, { field, type }: LoadedColumn): string =>
  `${table}: the cursor's field ${field} is ${type.sql}, which is no time, so a version begins when it is loaded. ` +
  `If it holds times, declare their form, as in columns: { ${field}: time('unix') }, and load a new table`

/** Copies rows into a temporary table with the column types of the target, in which they are numbered. */
async function copyNumbered(
  transaction: Transaction,
  table: string,
  rows: RowSelection,
  columns: RowShape['columns'],
): Promise<string> {
  const name = `sluice_versions_${batches}`
  const list = columnList(columns)
  await copyRows(transaction, rows, [
    // The select locks the target, which keeps its column types until the transaction ends.
    `create temporary table ${name} on commit drop as select ${list} from ${quoteTable(table)} with no data`,
    `alter table pg_temp.${name} add column ${SENT} bigint generated always as identity`,
    shapeCheckSql(`pg_temp.${name}`, columns),
    `copy pg_temp.${name} (${list}) from stdin`,
  ])
  return `pg_temp.${name}`
}
