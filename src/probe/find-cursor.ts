// Which field tells the last change of a record.
import { compareValues, cursorValue, type CursorValue } from '../source/cursor/cursor-value.ts'
import { instantLayout } from '../value/instant.ts'
import { isObject } from './find-records.ts'

export interface CursorField {
  readonly field: string
  /** Such as `times with an offset, 3 digits of a second`. */
  readonly format: string
  readonly unit?: 's' | 'ms'
  /** The order of the records by it; undefined if they have none. */
  readonly order?: 'ascending' | 'descending'
  /** True if it says when a record was made, not when it has changed. */
  readonly isCreation: boolean
  /** A value in the middle: a filter by it must leave out records. */
  readonly middle: string | number | bigint
}

const VERBS = '(updated|modified|changed|edited|change|modification)'
const WHEN = '(_?(at|on|date|time|timestamp))?'
const CHANGED = new RegExp(
  `^(_?(last_?)?${VERBS}${WHEN}|(date|time)_?${VERBS}|(last_?)?update_?(time|date)|system_?modstamp|mtime)$`,
  'i',
)
const CREATED = new RegExp(
  `^(_?(created|inserted|occurred)${WHEN}|(date|time)_?created|create_?(time|date)|timestamp|date|time)$`,
  'i',
)

/** Returns the field of the last change, else that of the creation. */
export function findCursor(records: readonly unknown[]): CursorField | undefined {
  const objects = records.filter(isObject)
  const names = [...new Set(objects.flatMap((one) => Object.keys(one)))]
  for (const [pattern, isCreation] of [
    [CHANGED, false],
    [CREATED, true],
  ] as const) {
    for (const field of names.filter((name) => pattern.test(name))) {
      const found = cursorField(
        objects.map((one) => one[field]),
        field,
        isCreation,
      )
      if (found) return found
    }
  }
  return undefined
}

function cursorField(values: readonly unknown[], field: string, isCreation: boolean): CursorField | undefined {
  const given = values.filter((value) => value !== null && value !== undefined)
  const form = formOf(given)
  if (!form || given.length === 0) return undefined
  const comparable = given.map(valueOf).filter((value) => value !== undefined)
  if (comparable.length < given.length) return undefined
  const middle = middleOf(comparable)
  const order = orderOf(comparable)
  return middle === undefined ? undefined : { field, isCreation, middle, ...form, ...(order && { order }) }
}

/** Returns a value between the first and the last one, because some filters leave out records with their own value. */
function middleOf(values: readonly CursorValue[]): CursorValue['raw'] | undefined {
  const sorted = values
    .toSorted(compareValues)
    .filter((value, at, all) => at === 0 || compareValues(value, all[at - 1] ?? value) !== 0)
  return (sorted.length > 2 ? sorted[Math.floor((sorted.length - 1) / 2)] : sorted.at(-1))?.raw
}

/** Returns a value as a cursor compares it; undefined if it cannot be ordered. */
export function valueOf(value: unknown): CursorValue | undefined {
  try {
    return cursorValue(value) ?? undefined
  } catch {
    // A date whose text does not sort, such as `Tue, 01 Jan 2024`.
    return undefined
  }
}

function formOf(values: readonly unknown[]): { readonly format: string; readonly unit?: 's' | 'ms' } | undefined {
  const forms = new Set(values.map(formOfOne))
  const [form] = forms
  if (forms.size > 1 || form === undefined) return undefined
  if (form === 's' || form === 'ms')
    return { format: form === 's' ? 'seconds since 1970' : 'milliseconds since 1970', unit: form }
  const digits = Math.max(...values.map((value) => instantLayout(String(value))?.digits ?? 0))
  return { format: digits === 0 ? form : `${form}, ${digits} digits of a second` }
}

function formOfOne(value: unknown): string | undefined {
  if (typeof value === 'number') {
    if (value > 4e8 && value < 5e9) return 's'
    return value > 4e11 && value < 5e12 ? 'ms' : undefined
  }
  const layout = typeof value === 'string' ? instantLayout(value) : undefined
  if (!layout) return undefined
  if (layout.separator === '') return 'days'
  return layout.zone.trim() === '' ? 'times without an offset' : 'times with an offset'
}

function orderOf(values: readonly CursorValue[]): CursorField['order'] {
  const steps = values.slice(1).map((value, index) => compareValues(value, values[index] ?? value))
  if (steps.every((step) => step === 0)) return undefined
  if (steps.every((step) => step >= 0)) return 'ascending'
  return steps.every((step) => step <= 0) ? 'descending' : undefined
}
