// A rejected row with the entries of its lists: its page's records are released by then.
import { rowRecord } from '../encode/row-record.ts'
import { chunksOf, type RowSelection } from '../row-selection.ts'
import { INDEX_FIELD, type ChildTable } from './child-tables.ts'
import { entriesOf } from './store-children.ts'

/** Returns the lists of one row as they were sent, by field. A list that its record did not have is not among them. */
export function nestedLists(
  row: RowSelection,
  tables: readonly ChildTable[],
  record: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const lists: Record<string, unknown> = {}
  /** The entries of each list, by the key under which lists inside them name them. */
  const holders = new Map<ChildTable | undefined, Map<string, Record<string, unknown>>>([
    [undefined, new Map([['', lists]])],
  ])
  for (const [index, child] of tables.entries()) {
    const entries = new Map<string, Record<string, unknown>>()
    holders.set(child, entries)
    if (child.parent === undefined && !isAbsent(row, child)) lists[child.field] = []
    for (const { page, from, to } of entriesOf(row, index).ranges)
      for (let at = from; at < to; at += 1) {
        const line = Buffer.concat([...chunksOf({ ranges: [{ page, from: at, to: at + 1 }], rows: 1 })]).toString()
        const entry = rowRecord(line, page.rowShape)
        entries.set(keyText(child.table.key.map((field) => entry[field])), entry)
        const key = child.parent ? keyText(child.parentFields.map((field) => entry[field])) : ''
        for (const field of [...child.parentFields, ...(child.isIndexed ? [INDEX_FIELD] : [])]) delete entry[field]
        const holder = holders.get(child.parent)?.get(key)
        if (holder) holder[child.field] = [...((holder[child.field] as unknown[] | undefined) ?? []), entry]
      }
  }
  return { ...record, ...lists }
}

const keyText = (values: readonly unknown[]): string => values.map(String).join('\t')

function isAbsent({ ranges: [range] }: RowSelection, { list }: ChildTable): boolean {
  const marks = range?.page.absents[range.from] ?? ''
  return marks[(range?.page.rowShape.columns.length ?? 0) + list] === '1'
}
