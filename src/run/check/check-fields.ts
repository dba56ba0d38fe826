// Do the records have the fields that the definition names?
import { fieldsText } from '../../load/encode/missing-key.ts'
import { isRecord } from '../../load/values/value-kind.ts'
import type { Incremental, Table } from '../../model/recipe.ts'
import { cursorAt } from '../../source/cursor/cursor-at.ts'
import { ComparableValues } from '../../source/cursor/comparable-values.ts'
import { formatCount } from '../../value/format.ts'
import { advice, problem, type Remark } from './finding.ts'
import { nameOfCursor } from './check-order.ts'

/** Returns a problem if no record of the first page has the cursor's field. */
export function checkCursorField(incremental: Incremental, records: readonly unknown[]): Remark[] {
  const values = new ComparableValues(cursorAt(incremental), {}, undefined, {
    location: `.incremental(${nameOfCursor(incremental.at)})`,
    warn: () => {},
  })
  for (const record of records) values.valueOf(record)
  const missing = values.fieldMissing(records.length)
  return missing === undefined ? [] : [problem(missing)]
}

/** Returns the declared columns whose field no row of the first page has. It may be one that few records have. */
export function checkDeclaredFields(
  { columns, key, insertOnly = [], ignoreChanges = [] }: Table,
  rows: readonly unknown[],
): Remark[] {
  const [first] = rows
  if (!isRecord(first)) return []
  const has = (field: string): boolean => rows.some((row) => isRecord(row) && row[field] !== undefined)
  // A missing field of the key rejects the record, which is told with the rejects.
  const declared = Object.keys(columns).filter((field) => columns[field] !== false && columns[field] !== undefined)
  const missing = [...new Set([...declared, ...insertOnly, ...ignoreChanges])].filter(
    (field) => !key.includes(field) && !has(field),
  )
  if (missing.length === 0) return []
  const places = [
    missing.some((field) => declared.includes(field)) && 'columns',
    missing.some((field) => insertOnly.includes(field)) && 'insertOnly',
    missing.some((field) => ignoreChanges.includes(field)) && 'ignoreChanges',
  ]
    .filter((place) => place !== false)
    .join(', ')
  const [fields, them] = missing.length === 1 ? ['field', 'its name'] : ['fields', 'their names']
  return [
    advice(
      `none of ${formatCount(rows.length, 'record')} of the first page has the declared ${fields} ` +
        `${missing.join(', ')}. A record has ${fieldsText(first)}. Correct ${them} in ${places}, unless other ` +
        `records have ${missing.length === 1 ? 'it' : 'them'}`,
    ),
  ]
}
