// By which parameter does the API filter a list by the last change of its records?
import type { QueryValue } from '../model/request.ts'
import { compareValues, type CursorValue } from '../source/cursor/cursor-value.ts'
import { valueOf, type CursorField } from './find-cursor.ts'
import type { ProbedPage } from './find-paging/page.ts'
import type { Probing } from './find-paging/probing.ts'
import { isObject } from './find-records.ts'
import type { FoundCursor } from './found.ts'
import { messageOfAnswer } from './refusal.ts'

/** A filter that a request has proven. */
export interface ProvenFilter {
  readonly parameter: string
  readonly value: QueryValue
  readonly cursor: FoundCursor
  readonly page: ProbedPage
  /** A field that is true in records which only the filter shows: those that were deleted. */
  readonly deletedBy?: string
}

export interface FilterFound {
  readonly filter?: ProvenFilter
  /** What the API has said about names that it does not know. */
  readonly said?: string
}

/** Tries parameters that may filter by the field. One is proven if it leaves out exactly the older records. */
export async function findFilter(probing: Probing, cursor: CursorField): Promise<FilterFound> {
  const { field, middle, unit } = cursor
  const values = (page: ProbedPage): (CursorValue | undefined)[] =>
    page.records.map((record) => (isObject(record) ? valueOf(record[field]) : undefined))
  const bound = valueOf(middle)
  const isOlder = (value: CursorValue | undefined): boolean => !value || !bound || compareValues(value, bound) < 0
  // If no record of the first page is older, a filter would change nothing.
  if (!bound || !values(probing.first).some(isOlder)) return {}
  const ask = async (names: readonly string[]): Promise<Filtered | undefined> => {
    if (probing.left === 0 || names.length === 0) return undefined
    const { page, relation } = await probing.ask(Object.fromEntries(names.map((name) => [name, String(middle)])))
    if (relation.type === 'failed' || relation.type === 'empty') return { page, is: 'refused' }
    return { page, is: values(page).some(isOlder) ? 'ignored' : 'filtered' }
  }
  const { name, page, said } = await oneOf(filterNames(field, probing), field, ask)
  if (name === undefined || !page) return said === undefined ? {} : { said }
  const deletedBy = deletedFlag(page)
  return {
    filter: {
      parameter: name,
      value: { bound: 'since', ...(unit && { as: unit === 's' ? 'unix' : 'unix ms' }) },
      cursor: { at: field, ...(unit && { unit }) },
      page,
      ...(deletedBy !== undefined && { deletedBy }),
    },
  }
}

interface Filtered {
  readonly page: ProbedPage
  readonly is: 'filtered' | 'ignored' | 'refused'
}
type Ask = (names: readonly string[]) => Promise<Filtered | undefined>
interface Named {
  readonly name?: string
  readonly page?: ProbedPage
  readonly said?: string | undefined
}

/** Names that are tried by themselves, if the API refuses names that it does not know. */
const MAX_ALONE = 4

/** Sends all names at once, which costs one request if none has an effect. Then parts of them, until one is alone. */
async function oneOf(names: readonly string[], field: string, ask: Ask): Promise<Named> {
  const asked = await ask(names)
  if (asked?.is === 'filtered') return narrowed(names, ask)
  if (asked?.is !== 'refused') return {}
  const { answer } = asked.page
  // Some APIs answer with the names that they know. Kinto finds nothing where a name is one of no field.
  const told = namesIn(answer.text, field).filter((name) => !names.includes(name))
  const [first = '', after = ''] = names
  const likely = [...told, first, `min_${field}`, `${field}__gte`, after, ...names]
  for (const name of [...new Set(likely)].slice(0, MAX_ALONE)) {
    const alone = await ask([name])
    if (alone?.is === 'filtered') return { name, page: alone.page }
  }
  return answer.status >= 400 ? { said: messageOfAnswer(answer) } : {}
}

/** Finds the one of several names that has filtered. What the first part does not do, the rest does. */
async function narrowed(names: readonly string[], ask: Ask): Promise<Named> {
  // The likeliest ones stand first.
  const size = names.length > 8 ? 2 : Math.ceil(names.length / 2)
  const [some, rest] = [names.slice(0, size), names.slice(size)]
  const asked = await ask(some)
  const [name = '', ...others] = some
  if (asked?.is === 'filtered') return others.length === 0 ? { name, page: asked.page } : narrowed(some, ask)
  return rest.length === 0 || !asked ? {} : narrowed(rest, ask)
}

/** Returns names of parameters that may filter, the likeliest first. */
function filterNames(field: string, { options }: Probing): string[] {
  const given = Object.keys(options.query).filter((name) => /since|after|from|gte|min/i.test(name))
  const base = field.replace(/_?at$/i, '')
  const own = /[A-Z]/.test(field) ? [`${base}Since`, `${base}After`] : [`${base}_since`, `${base}_after`]
  // Django filters by `modified__gte`, Kinto by `min_last_modified`, GitHub by `since`.
  const usual = [`${field}__gte`, `${field}_gte`, `min_${field}`, `${field}[gte]`, 'since', '_since', `gt_${field}`]
  return [...new Set([...given, ...own, ...usual])]
}

/** Words of a parameter that is a lower bound. */
const BOUND = /^(since|after|from|gte?|ge|min|start)$/
/** Words of a field that its parameter may leave out. */
const EMPTY = /^(last|at|on|date|time|timestamp)$/

/** Returns the names in a text that are a lower bound of the field: `updated_from` of `updated_at`. At most two. */
export function namesIn(text: string, field: string): string[] {
  const about = wordsOf(field).filter((word) => !EMPTY.test(word))
  const names = text.match(/[a-z_$][\w$.-]*(?:\[\w+\])*/gi) ?? []
  return [...new Set(names)]
    .filter((name) => {
      const words = wordsOf(name)
      const isBound = words.length < 6 && words.some((word) => BOUND.test(word))
      return isBound && (about.every((word) => words.includes(word)) || /^_?since$/.test(name))
    })
    .slice(0, 2)
}

const wordsOf = (name: string): string[] =>
  name
    .replaceAll(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter((word) => word !== '')

/** Returns the field by which a page marks deleted records; undefined if it has none. */
function deletedFlag({ records }: ProbedPage): string | undefined {
  const marked = records.filter(isObject).flatMap((record) => Object.entries(record))
  return marked.find(([name, value]) => value === true && /^_?(is_?)?(deleted|removed)$/i.test(name))?.[0]
}
