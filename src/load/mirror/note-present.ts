import { quoteTable } from '../../database/quote.ts'
import type { Transaction } from '../../database/transaction.ts'
import { escapeText } from '../encode/copy-text.ts'
import type { EncodedRows } from '../encode/encoded-page.ts'
import type { LoadedColumn } from '../shape/loaded-column.ts'
import { columnList, shapeCheckSql } from '../shape/shape-check.ts'
import type { OpenTable } from '../open-table.ts'
import { lockRows } from './lock-rows.ts'
import { keyNames, noteSeenSql } from './mirror-sql.ts'

let tables = 0

/**
 * Notes for mirrors of a table that the records of some pages exist which have stored no row, because they were
 * rejected: by the encoder, or, if `isBisected`, perhaps by the database.
 */
export async function notePresent(
  transaction: Transaction,
  open: OpenTable,
  pages: readonly EncodedRows[],
  isBisected: boolean,
): Promise<void> {
  const { table } = open
  for (const group of Map.groupBy(keysIn(pages, isBisected), ({ columns }) => columnList(columns)).values()) {
    const [first] = group
    const lines = group.flatMap((one) => one.lines)
    if (!first || lines.length === 0) continue
    tables += 1
    const name = `sluice_present_${tables}`
    const source = `pg_temp.${name}`
    const list = columnList(first.columns)
    await lockRows(transaction, open, 'stores')
    const statements = [
      `create temporary table ${name} on commit drop as select ${list} from ${quoteTable(table.name)} with no data`,
      shapeCheckSql(source, first.columns),
      `copy ${source} (${list}) from stdin`,
    ]
    await transaction.copy(statements.join(';\n'), [Buffer.from(lines.join(''))])
    await transaction.run(`${noteSeenSql(table, source, keyNames(first.columns))}; drop table ${source}`)
  }
}

interface Keys {
  readonly columns: readonly LoadedColumn[]
  readonly lines: readonly string[]
}

const keysIn = (pages: readonly EncodedRows[], isBisected: boolean): Keys[] =>
  pages.flatMap(({ present, keys, rowShape }) => {
    const columns = rowShape.columns.filter(({ key }) => key)
    const ofRows = isBisected ? [{ columns, lines: keys.map((key) => lineOf(key, columns)) }] : []
    return present ? [present, ...ofRows] : ofRows
  })

/** Returns the line of a row's key. Its text does not have the account, which is the same in each row. */
function lineOf(key: string, columns: readonly LoadedColumn[]): string {
  const values = key.split('\t').values()
  const texts = columns.map(({ constant }) => (constant === undefined ? values.next().value : escapeText(constant)))
  return `${texts.join('\t')}\n`
}
