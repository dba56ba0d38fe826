// Which field tells the last change of a record, and whether the API filters by it.
import { compareValues, cursorValue, type CursorValue } from '../source/cursor/cursor-value.ts'
import { instantLayout } from '../value/instant.ts'
import type { QueryValue } from '../model/request.ts'
import type { FoundCursor } from './found.ts'
import type { ProbedPage } from './find-paging/page.ts'
import type { Probing } from './find-paging/probing.ts'
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

function valueOf(value: unknown): CursorValue | undefined {
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

/** A filter that a request has proven. */
export interface ProvenFilter {
  readonly parameter: string
  readonly value: QueryValue
  readonly cursor: FoundCursor
  readonly page: ProbedPage
}

/** Tries parameters that may filter by the field. One is proven if it leaves out exactly the older records. */
export async function proveFilter(probing: Probing, cursor: CursorField): Promise<ProvenFilter | undefined> {
  const { field, middle, unit } = cursor
  const values = (page: ProbedPage): (CursorValue | undefined)[] =>
    page.records.map((record) => (isObject(record) ? valueOf(record[field]) : undefined))
  const bound = valueOf(middle)
  const isOlder = (value: CursorValue | undefined): boolean => !value || !bound || compareValues(value, bound) < 0
  // If no record of the first page is older, a filter would change nothing.
  if (!bound || !values(probing.first).some(isOlder)) return undefined
  const ask = async (names: readonly string[]): Promise<Filtered> => {
    const { page, relation } = await probing.ask(Object.fromEntries(names.map((name) => [name, String(middle)])))
    if (relation.type === 'failed' || relation.type === 'empty') return { page, is: 'refused' }
    return { page, is: values(page).some(isOlder) ? 'ignored' : 'filtered' }
  }
  const found = await oneOf(filterNames(field, probing), probing, ask)
  if (found === undefined) return undefined
  return {
    parameter: found.name,
    value: { bound: 'since', ...(unit && { as: unit === 's' ? 'unix' : 'unix ms' }) },
    cursor: { at: field, ...(unit && { unit }) },
    page: found.page,
  }
}

interface Filtered {
  readonly page: ProbedPage
  readonly is: 'filtered' | 'ignored' | 'refused'
}
type Ask = (names: readonly string[]) => Promise<Filtered>
type Named = Pick<Filtered, 'page'> & { readonly name: string }

/** Names that are tried by themselves, if the API refuses names that it does not know. */
const MAX_ALONE = 2

/** Sends all names at once, which costs one request if none has an effect. Then halves of them, until one is alone. */
async function oneOf(names: readonly string[], probing: Probing, ask: Ask): Promise<Named | undefined> {
  const asked = await askWithin(names, probing, ask)
  if (asked?.is === 'filtered') return narrowed(names, asked.page, { probing, ask })
  if (asked?.is !== 'refused') return undefined
  for (const name of names.slice(0, MAX_ALONE)) {
    const alone = await askWithin([name], probing, ask)
    if (alone?.is === 'filtered') return { name, page: alone.page }
  }
  return undefined
}

const askWithin = async (names: readonly string[], { left }: Probing, ask: Ask): Promise<Filtered | undefined> =>
  left === 0 || names.length === 0 ? undefined : ask(names)

async function narrowed(
  names: readonly string[],
  page: ProbedPage,
  { probing, ask }: { readonly probing: Probing; readonly ask: Ask },
): Promise<Named | undefined> {
  const [name = ''] = names
  if (names.length === 1) return { name, page }
  // The likeliest ones stand first.
  const half = names.length > 4 ? 2 : Math.ceil(names.length / 2)
  const first = await askWithin(names.slice(0, half), probing, ask)
  if (first?.is === 'filtered') return narrowed(names.slice(0, half), first.page, { probing, ask })
  const rest = await askWithin(names.slice(half), probing, ask)
  return rest?.is === 'filtered' ? narrowed(names.slice(half), rest.page, { probing, ask }) : undefined
}

/** Returns names of parameters that may filter, the likeliest first. */
function filterNames(field: string, { options }: Probing): string[] {
  const given = Object.keys(options.query).filter((name) => /since|after|from|gte|min/i.test(name))
  const base = field.replace(/_?at$/i, '')
  const own = /[A-Z]/.test(field) ? [`${base}Since`, `${base}After`] : [`${base}_since`, `${base}_after`]
  // Django filters by `modified__gte`, Kinto by `min_last_modified`, GitHub by `since`.
  return [...new Set([...given, ...own, `${field}__gte`, `${field}_gte`, `min_${field}`, `${field}[gte]`, 'since'])]
}
