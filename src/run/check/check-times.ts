// Are the times of a field written in one format, and with a zone?
import { declarationOf, declaredType, readsEmptyAsNull } from '../../load/shape/fields.ts'
import { isRecord } from '../../load/values/value-kind.ts'
import type { Incremental, Table } from '../../model/recipe.ts'
import { valueFrom } from '../../source/response-value.ts'
import { instantLayout } from '../../value/instant.ts'
import { nameOfCursor } from './check-order.ts'
import { advice, problem, type Remark } from './finding.ts'

const FORMS = ['a day', 'a time with an offset', 'a time without an offset', 'a number', "''"] as const
type Form = (typeof FORMS)[number]
/** The first value of each form. */
type Found = ReadonlyMap<Form, unknown>

/**
 * Returns the fields without a declared type whose times would be stored as text: they have no zone, or several
 * formats. The encoder decides about declared ones.
 */
export function checkTimes(table: Table, rows: readonly unknown[]): Remark[] {
  const fields = new Set(rows.flatMap((row) => (isRecord(row) ? Object.keys(row) : [])))
  const undeclared = [...fields].filter(
    (field) => declarationOf(table, field) !== false && declaredType(table, field) === undefined,
  )
  return undeclared.flatMap((field) => {
    const values = rows.map((row) => (isRecord(row) ? row[field] : undefined))
    // The text '' is null then, as in a record without the field.
    const found = formsOf(readsEmptyAsNull(table, field) ? values.filter((value) => value !== '') : values)
    if (!found || (found.size === 1 && !found.has('a time without an offset'))) return []
    return [advice(`${field} has ${formsText(found)}, so it is stored as text. ${remedyOf(field, found)}`)]
  })
}

/** Returns a problem if the cursor's values have several formats, because they cannot all be compared. */
export function checkCursorTimes({ at, time }: Incremental, records: readonly unknown[]): Remark[] {
  if (time) return []
  const found = formsOf(records.map((record) => valueFrom(at, record)))
  const compared = [...(found ?? [])].filter(([form]) => form !== "''")
  if (!found || compared.length < 2) return []
  return [
    problem(
      `.incremental(${nameOfCursor(at)}) has ${formsText(new Map(compared))}. The cursor takes times without ` +
        'an offset for UTC, and does not compare times with numbers, so a run may miss records. ' +
        'Give .incremental a function that returns one format',
    ),
  ]
}

/** Returns the forms of values, undefined if one of them is no time. */
function formsOf(values: readonly unknown[]): Found | undefined {
  const found = new Map<Form, unknown>()
  for (const value of values) {
    if (value === null || value === undefined) continue
    const form = formOf(value)
    if (form === undefined) return undefined
    if (!found.has(form)) found.set(form, value)
  }
  const isTime = [...found.keys()].some((form) => form !== 'a number' && form !== "''")
  return isTime ? found : undefined
}

function formOf(value: unknown): Form | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return 'a number'
  if (typeof value !== 'string') return undefined
  if (value === '') return "''"
  const layout = instantLayout(value)
  if (!layout) return undefined
  if (layout.separator === '') return 'a day'
  return layout.zone.trim() === '' ? 'a time without an offset' : 'a time with an offset'
}

function formsText(found: Found): string {
  if (found.size === 1) return `times without an offset, such as '${String([...found.values()][0])}'`
  const texts = FORMS.filter((form) => found.has(form)).map((form) =>
    form === "''" ? "the empty text ''" : `${form} (${String(found.get(form))})`,
  )
  return `times in several formats: ${texts.slice(0, -1).join(', ')} and ${texts.at(-1)}`
}

function remedyOf(field: string, found: Found): string {
  const times = [...found.keys()].filter((form) => form !== "''")
  const isOneColumn = !times.includes('a number') && (times.length === 1 || !times.includes('a day'))
  if (!isOneColumn) return 'Make one format of them with .map()'
  const options = [
    `type: '${times.includes('a day') ? 'date' : 'timestamptz'}'`,
    found.has('a time without an offset') && "zone: 'Europe/Berlin'",
    found.has("''") && "emptyText: 'null'",
  ].filter(Boolean)
  const zone = found.has('a time without an offset') ? ', with the zone of the API' : ''
  return `To store times, declare columns: { ${field}: { ${options.join(', ')} } }${zone}`
}
