import { Database } from '../../database/database.ts'
import { quoteIdentifier, quoteTable } from '../../database/quote.ts'
import { decimalParts } from '../../value/decimal-text.ts'
import { Decimal } from '../../value/decimal.ts'
import { parseJson } from '../../value/json/parse-json.ts'
import { membersOf } from '../expect/same.ts'

/**
 * A row as JSON, by the names of its columns: a `numeric` is a number, a time is text in UTC. Numbers that a double
 * cannot hold are bigints or Decimals.
 */
export type StoredRow = Readonly<Record<string, unknown>>

/**
 * Returns the rows of a table in the order of its key; without a key, as they were written. A table that does not exist
 * has none, because a run without rows creates none.
 */
export async function storedRows(url: string, table: string): Promise<StoredRow[]> {
  await using database = new Database({ url, max: 1 })
  const name = quoteTable(table)
  const found = await database.one<{ exists: boolean }>(`select to_regclass($1) is not null as exists`, [name])
  if (!found.exists) return []
  const key = await database.query<{ name: string }>(
    `select attname as name
       from pg_index
       join unnest(indkey) with ordinality as part (number, place) on true
       join pg_attribute on attrelid = indrelid and attnum = part.number
      where indexrelid = (select indexrelid from pg_index where indrelid = to_regclass($1) and indisunique
                           order by indisprimary desc, indexrelid limit 1)
      order by place`,
    [name],
  )
  const order = key.length === 0 ? 'ctid' : key.map((column) => quoteIdentifier(column.name)).join(', ')
  const rows = await database.query<{ row: string }>(
    `select to_jsonb(one)::text as row from ${name} as one order by ${order}`,
  )
  return rows.map(({ row }) => parseJson(row) as StoredRow)
}

/** Columns that Sluice adds. They are compared only if a test names them. */
const ADDED = ['_loaded_at', '_slice', '_valid_from', '_valid_to', '_is_current']

/** Returns rows without the columns that Sluice adds, except those that are expected. */
export function withoutAdded(rows: readonly StoredRow[], expected: readonly object[]): StoredRow[] {
  const named = new Set(expected.flatMap((row) => Object.keys(row)))
  const left = (name: string): boolean => !ADDED.includes(name) || named.has(name)
  return rows.map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => left(name))))
}

/**
 * True if a stored value is the expected one. Numbers and times are compared by their values, however they are written.
 * Null equals a column that is left out.
 */
export function sameStored(stored: unknown, expected: unknown): boolean {
  const [left, right] = [plain(stored), plain(expected)]
  if (Object.is(left, right)) return true
  if (typeof left === 'number' || typeof right === 'number' || typeof left === 'bigint' || typeof right === 'bigint')
    return numberText(left) !== undefined && numberText(left) === numberText(right)
  if (typeof left === 'string' && typeof right === 'string')
    return isTime(left) && isTime(right) && sameTime(left, right)
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false
  if (Array.isArray(left) !== Array.isArray(right)) return false
  const names = new Set([...Object.keys(left), ...Object.keys(right)])
  return [...names].every((name) => sameStored(membersOf(left)[name], membersOf(right)[name]))
}

function plain(value: unknown): unknown {
  if (value === undefined) return null
  if (value instanceof Date) return value.toISOString()
  return value instanceof Decimal ? value.text : value
}

/** Returns a number as one text, whatever its zeros: `12.50` and `12.5` are equal. */
function numberText(value: unknown): string | undefined {
  const text = typeof value === 'number' || typeof value === 'bigint' ? String(value) : value
  const parts = typeof text === 'string' ? decimalParts(text) : undefined
  return parts && JSON.stringify(parts)
}

const isTime = (text: string): boolean => /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/.test(text) && !Number.isNaN(Date.parse(text))

/** Compares two times to the millisecond, and what is behind it as text. */
const sameTime = (a: string, b: string): boolean => Date.parse(a) === Date.parse(b) && below(a) === below(b)

const below = (text: string): string => (/\.\d{3}(\d*)/.exec(text)?.[1] ?? '').replace(/0+$/, '')
