import type { Database } from '../../src/database/database.ts'
import { quoteIdentifier } from '../../src/database/quote.ts'
import type { Document, Plan } from './documents.ts'
import { isStored, readSql, type Column } from './is-stored.ts'
import { NumberText, type Value } from './read-json.ts'

/** What the table should hold, by the number of the document; and every version of it that was not rejected. */
export interface Expected {
  readonly now: Map<number, Document>
  readonly ever: Map<number, Document[]>
}

type Texts = Readonly<Record<string, string | null>>

/** A column, and the field that is written to it. */
interface FieldColumn extends Column {
  readonly field: string
}

export interface TableState {
  readonly columns: readonly FieldColumn[]
  /** Texts of the columns, as `c0`, `c1`, … A row that is the past of another one has `is_past`. */
  readonly rows: readonly Texts[]
}

/** Reads all rows of a table as texts. A table that is not there has none. */
export async function tableState(
  database: Database,
  table: string,
  { mode, declared }: Pick<Plan, 'mode' | 'declared'>,
): Promise<TableState> {
  const all = await database.query<{ name: string; type: string; comment: string | null }>(
    `select a.attname as name, t.typname as type, col_description(a.attrelid, a.attnum) as comment
       from pg_attribute as a join pg_type as t on t.oid = a.atttypid
      where a.attrelid = to_regclass($1) and a.attnum > 0 and not a.attisdropped order by a.attnum`,
    [table],
  )
  const columns = all.flatMap(({ name, type, comment }) => {
    const field = comment?.startsWith('Sluice {') ? (JSON.parse(comment.slice(7)) as { field: string }).field : name
    // Columns that records have not given.
    return ['_slice', '_valid_from', '_valid_to', '_is_current'].includes(name)
      ? []
      : [{ name, type, field, isDeclared: Object.hasOwn(declared, field) }]
  })
  if (columns.length === 0) return { columns, rows: [] }
  const texts = columns.map((column, index) => `${readSql(column, quoteIdentifier(column.name))} as c${index}`)
  const past = mode.startsWith('history') ? 'case when _valid_to is not null then true end::text' : 'null'
  const rows = await database.query<Texts>(`select ${past} as is_past, ${texts.join(', ')} from ${table}`)
  return { columns, rows }
}

/**
 * Returns what differs between a table and the documents that it should hold. `isPart`: the stream has failed, so some
 * of them may be missing.
 */
export function checkRows(
  { columns, rows }: TableState,
  { now, ever }: Expected,
  { plan, isPart }: { readonly plan: Plan; readonly isPart: boolean },
): string[] {
  const problems: string[] = []
  const seen = new Set<number>()
  const number = columns.findIndex(({ name }) => name === 'n')
  for (const row of rows) {
    const n = Number(row[`c${number}`])
    if (row['is_past'] === 'true' || isPart) {
      if (!(ever.get(n) ?? []).some((document) => differences(row, columns, { document, plan }).length === 0))
        problems.push(`row ${n} is none of the documents that were sent`)
      continue
    }
    const document = now.get(n)
    if (!document) problems.push(`row ${n} should not be there`)
    else if (seen.has(n)) problems.push(`row ${n} is there twice`)
    else problems.push(...differences(row, columns, { document, plan }).map((problem) => `row ${n}: ${problem}`))
    seen.add(n)
  }
  if (!isPart)
    for (const [n, { text }] of now) if (!seen.has(n)) problems.push(`row ${n} is lost: ${text.slice(0, 1_000)}`)
  return problems
}

/** Compares a row with a document, field by field. */
function differences(
  row: Texts,
  columns: readonly FieldColumn[],
  { document, plan }: { readonly document: Document; readonly plan: Plan },
): string[] {
  const fields = flatMembers(document.members, plan)
  const missing = new Map([...fields].filter(([, value]) => value !== null))
  const problems = columns.flatMap((column, index) => {
    const { field } = column
    const given = fields.get(field) ?? null
    missing.delete(field)
    const sent = plan.readsEmptyAsNull && given === '' && field !== 'id' ? null : given
    const stored = row[`c${index}`] ?? null
    return isStored(stored, column, sent)
      ? []
      : [`${JSON.stringify(field)} (${column.type}) holds ${stored?.slice(0, 200)}, sent was ${shown(sent)}`]
  })
  for (const [field, value] of missing)
    if (!(plan.readsEmptyAsNull && value === ''))
      problems.push(`${JSON.stringify(field)} has no column, sent was ${shown(value)}`)
  return problems
}

/** Returns the fields of a document, with the members of its flattened object, and without its lists. */
export function flatMembers(
  members: ReadonlyMap<string, Value>,
  { mode = 'nested' }: Partial<Pick<Plan, 'mode'>> = {},
): Map<string, Value> {
  if (mode !== 'nested') return new Map(members)
  const flat = new Map<string, Value>()
  for (const [name, value] of members) {
    if (name === 'lines' || name === 'items') continue
    if (name === 'address' && value instanceof Map)
      for (const [member, inner] of value) flat.set(`address.${member}`, inner)
    else flat.set(name, value)
  }
  return flat
}

/** Returns what differs between the table of a nested list and the lists of the documents. */
export async function checkLists(
  database: Database,
  {
    table,
    list,
    plan,
    expected,
  }: { readonly table: string; readonly list: 'lines' | 'items'; readonly plan: Plan; readonly expected: Expected },
): Promise<string[]> {
  const { columns, rows } = await tableState(database, `${table}_${list}`, { mode: 'nested', declared: {} })
  const place = (field: string): string => `c${columns.findIndex((column) => column.field === field)}`
  const [parent, index] = [place('parent'), place(list === 'lines' ? '_index' : 'k')]
  const stored = new Map<number, Map<string, Texts>>()
  const problems: string[] = []
  for (const row of rows) {
    const n = Number(row[parent])
    const entries = stored.get(n) ?? new Map<string, Texts>()
    if (entries.has(row[index] ?? '')) problems.push(`${list} of row ${n} has entry ${row[index]} twice`)
    stored.set(n, entries.set(row[index] ?? '', row))
  }
  const own = columns.filter(({ field }) => field !== 'parent' && field !== '_index')
  for (const [n, { members }] of expected.now) {
    const entries = stored.get(n) ?? new Map<string, Texts>()
    stored.delete(n)
    const sent = entriesOf(members.get(list))
    if (entries.size !== sent.length) problems.push(`${list} of row ${n} has ${entries.size} of ${sent.length} entries`)
    for (const [at, entry] of sent.entries()) {
      const row = entries.get(String(at))
      if (!row) continue
      // `differences` numbers the columns that it is given.
      const texts = Object.fromEntries(own.map((column, number) => [`c${number}`, row[place(column.field)] ?? null]))
      const document = { text: '', members: entry }
      problems.push(
        ...differences(texts, own, { document, plan: { ...plan, mode: 'merge' } }).map(
          (problem) => `entry ${at} in ${list} of row ${n}: ${problem}`,
        ),
      )
    }
  }
  for (const n of stored.keys()) problems.push(`${list} of row ${n}, which should not be there`)
  return problems
}

/** An object in place of a list is its only entry, and an entry that is no object has its value in `value`. */
function entriesOf(list: Value | undefined): ReadonlyMap<string, Value>[] {
  if (list === undefined || list === null) return []
  const entries = Array.isArray(list) ? list : [list]
  return entries.map((entry) => (entry instanceof Map ? entry : new Map([['value', entry]])))
}

function shown(value: Value): string {
  if (value instanceof NumberText) return value.text.slice(0, 200)
  if (value instanceof Map) return `an object with ${[...value.keys()].join(', ').slice(0, 200)}`
  return Array.isArray(value) ? `a list of ${value.length}` : JSON.stringify(value).slice(0, 200)
}
