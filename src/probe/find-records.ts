// Where the records of a response are.
import { selectRecords } from '../source/select-records.ts'
import { Decimal } from '../value/decimal.ts'
import type { FoundRecords } from './found.ts'

/** Names that lists of records usually have. */
const KNOWN_NAMES = new Set(
  (
    'data items results entries records rows entities payload content objects values value list elements features ' +
    'hits documents docs resources members'
  ).split(' '),
)
/** Lists that stand beside the records. */
const BESIDE = /^(_?links?|errors|warnings|included|facets|aggregations|columns|fields|schema)$/i
const MAX_DEPTH = 4
/** So much more a list counts whose name is known. */
const KNOWN_WEIGHT = 4

export interface RecordsPlace {
  readonly records: FoundRecords
  /** Other lists of objects, which may be the records too. */
  readonly others: readonly string[]
}

/**
 * Returns the place of the records: a list of objects, known names first, then the longest one. A list of scalars is
 * never one. Without a list, the body is one object. Undefined if it is neither.
 */
export function findRecords(body: unknown): RecordsPlace | undefined {
  if (Array.isArray(body)) return isListOfObjects(body) ? { records: { shape: 'list', at: '' }, others: [] } : undefined
  if (!isObject(body)) return undefined
  if (isJsonApi(body)) return { records: { shape: 'resources', at: 'data' }, others: [] }
  const rows = findRows(body)
  if (rows) return { records: rows, others: [] }
  const lists = listsIn(body, '', MAX_DEPTH)
  const [best, ...others] = lists.toSorted((one, other) => other.weight - one.weight || one.depth - other.depth)
  if (best && !isEntity(body, best)) {
    return { records: { shape: 'list', at: best.path }, others: others.filter(({ size }) => size > 0).map(pathOf) }
  }
  const empty = emptyListIn(body)
  if (!best && empty !== undefined) return { records: { shape: 'list', at: empty }, others: [] }
  const wrapped = ['data', 'result', 'item'].find((name) => isObject(body[name]) && Object.keys(body).length <= 3)
  return { records: { shape: 'object', at: wrapped ?? '' }, others: lists.filter(({ size }) => size > 0).map(pathOf) }
}

/** Returns the records of a body; undefined if it has another form. */
export function recordsIn(body: unknown, records: FoundRecords): readonly unknown[] | undefined {
  try {
    switch (records.shape) {
      case 'list':
        return selectRecords({ records: records.at }, body)
      case 'object': {
        const found = records.at === '' ? body : (body as Record<string, unknown>)[records.at]
        return isObject(found) ? [found] : undefined
      }
      case 'resources':
        return selectRecords({ records: { type: 'resources', at: records.at } }, body)
      case 'members':
        return selectRecords({ records: { type: 'members', at: records.at, key: records.key, value: 'value' } }, body)
      case 'rows': {
        const { at, header } = records
        return selectRecords({ records: { type: 'rows', at, ...(header !== undefined && { header }) } }, body)
      }
    }
  } catch {
    return undefined
  }
}

type Members = Readonly<Record<string, unknown>>

interface List {
  readonly path: string
  readonly depth: number
  readonly size: number
  readonly weight: number
  readonly isKnown: boolean
}

const pathOf = ({ path }: List): string => path

/** Returns the lists of objects outside of lists, with their weights. */
function listsIn(value: Members, path: string, depth: number): List[] {
  if (depth === 0) return []
  return Object.entries(value).flatMap(([name, member]): List[] => {
    const at = path === '' ? name : `${path}.${name}`
    if (Array.isArray(member)) {
      if (!isListOfObjects(member) || member.length === 0 || BESIDE.test(name)) return []
      const isKnown = KNOWN_NAMES.has(name.toLowerCase())
      const weight = member.length * (isKnown ? KNOWN_WEIGHT : 1)
      return [{ path: at, depth: MAX_DEPTH - depth, size: member.length, weight, isKnown }]
    }
    // A name with a dot inside a path could not be found again.
    return isObject(member) && !name.includes('.') ? listsIn(member, at, depth - 1) : []
  })
}

/** An empty list with a known name is a page without records. */
function emptyListIn(body: Members): string | undefined {
  for (const [name, member] of Object.entries(body)) {
    if (Array.isArray(member) && member.length === 0 && KNOWN_NAMES.has(name.toLowerCase())) return name
  }
  const empty = Object.entries(body).filter(([, member]) => Array.isArray(member) && member.length === 0)
  const isEnvelope = Object.entries(body).every(([name, member]) => isPagingName(name) || Array.isArray(member))
  return empty.length === 1 && isEnvelope ? empty[0]?.[0] : undefined
}

const isPagingName = (name: string): boolean =>
  /^(_?(meta|links?|pag(e|es|ing|ination))|next|prev(ious)?|total|count|has_?more|page|per_?page|limit|offset)/i.test(
    name,
  )

/** True if the body is one record that holds a list, such as an order with its lines. */
function isEntity(body: Members, { path, isKnown }: List): boolean {
  const hasId = ['id', '_id', 'uuid', 'guid'].some((name) => ['string', 'number', 'bigint'].includes(typeof body[name]))
  return hasId && !isKnown && !path.includes('.')
}

function isJsonApi(body: Members): boolean {
  const { data } = body
  return (
    Array.isArray(data) &&
    data.length > 0 &&
    data.every(
      (item) => isObject(item) && typeof item['type'] === 'string' && 'id' in item && isObject(item['attributes']),
    )
  )
}

/** Lists of values beside a list of their names, as Datasette and reports answer. */
function findRows(body: Members): FoundRecords | undefined {
  for (const at of ['rows', 'values', 'data']) {
    const rows = body[at]
    if (!Array.isArray(rows) || rows.length === 0 || !rows.every(Array.isArray)) continue
    const header = ['columns', 'header', 'headers', 'fields'].find((name) => isListOfTexts(body[name]))
    if (header !== undefined) return { shape: 'rows', at, header }
    if (isListOfTexts(rows[0])) return { shape: 'rows', at }
  }
  return undefined
}

const isListOfTexts = (value: unknown): boolean =>
  Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === 'string')

export const isObject = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Decimal)

/** An empty list counts. */
const isListOfObjects = (list: readonly unknown[]): boolean => list.every(isObject)
