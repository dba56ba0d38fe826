// Where is the list of records in the answer of an operation?
import type { FoundRecords } from '../found.ts'
import { singular } from '../write/names.ts'
import type { Schema, Schemas } from './schema.ts'

/** A list in an answer, or the reason why there is none. */
export type ListFound =
  | {
      readonly isList: true
      readonly records: FoundRecords
      /** The schema of one record. */
      readonly record: Schema
      /** The other lists that could have been meant, by their paths. */
      readonly others: readonly string[]
    }
  | { readonly isList: false; readonly reason: LeftOutReason }

export type LeftOutReason =
  | 'one record'
  | 'a list of values'
  | 'an answer without a type'
  | 'an object without a list'
  | 'values by their names'

/** Names that APIs give to the list of an answer. */
const LIST_NAMES = new RegExp(
  '^_?(data|items?|results?|entries|records?|rows|entities|payload|content|objects|values?|list|hits|elements' +
    '|features|documents|docs|resources|members)$',
  'i',
)
const MAX_NAMES = 3

interface Candidate {
  readonly path: readonly string[]
  readonly record: Schema
}

export interface Place {
  readonly path: string
  /** True if the operation has a parameter of paging: such an answer is a list also at `/tickers/{market}`. */
  readonly isPaged: boolean
}

/** Finds the list of objects in an answer. */
export function findRecords(body: Schema, place: Place, schemas: Schemas): ListFound {
  const { path } = place
  if (body.kinds.includes('array')) return rootList(body, schemas)
  if (body.kinds.length > 0 && !body.kinds.includes('object')) return leftOut('a list of values')
  if (body.kinds.length === 0) return leftOut(isOne(path) ? 'one record' : 'an answer without a type')
  if (body.properties.size === 0)
    return leftOut(body.additional === undefined ? 'an answer without a type' : 'values by their names')
  const lists = candidatesIn(body, [], schemas)
  const best = lists.find(({ path: names }) => isLikely(names, place, body)) ?? onlyList(lists, place, body)
  if (best) return listOf(best, lists)
  if (lists.length > 0 || looksLikeOne(body, place)) return leftOut('one record')
  const ofValues = [...body.properties.values()].some((given) => schemas.read(given).kinds.includes('array'))
  return leftOut(ofValues ? 'a list of values' : 'an object without a list')
}

const leftOut = (reason: LeftOutReason): ListFound => ({ isList: false, reason })

function rootList(body: Schema, schemas: Schemas): ListFound {
  const record = schemas.read(body.items)
  if (record.kinds.length > 0 && !isObject(record)) return leftOut('a list of values')
  return { isList: true, records: { shape: 'list', at: '' }, record, others: [] }
}

function listOf({ path, record }: Candidate, all: readonly Candidate[]): ListFound {
  const at = path.join('.')
  // A list that is deeper than this one is a part of something else.
  const others = all
    .filter((one) => one.path.length <= path.length)
    .map((one) => one.path.join('.'))
    .filter((other) => other !== at && other !== 'included')
  const attributes = record.properties.has('attributes') && record.properties.has('type')
  return { isList: true, records: { shape: attributes && at === 'data' ? 'resources' : 'list', at }, record, others }
}

/** Returns the lists of objects in an object, those that are less deep first. */
function candidatesIn(schema: Schema, path: readonly string[], schemas: Schemas): Candidate[] {
  if (path.length >= MAX_NAMES) return []
  const members = [...schema.properties].map(([name, given]) => ({
    path: [...path, name],
    member: schemas.read(given),
  }))
  const own = members.flatMap(({ path, member }) => {
    const record = member.kinds.includes('array') ? schemas.read(member.items) : undefined
    return record && isObject(record) ? [{ path, record }] : []
  })
  const deeper = members
    .filter(({ member }) => isObject(member))
    .flatMap(({ path, member }) => candidatesIn(member, path, schemas))
  return [...own, ...deeper]
}

const isObject = ({ kinds, properties }: Schema): boolean => kinds.includes('object') || properties.size > 0

/** True if the name of a list says that it is the answer: `data`, or `orders` of `/orders`. */
function isLikely(names: readonly string[], place: Place, body: Schema): boolean {
  const name = names.at(-1) ?? ''
  const outer = names.slice(0, -1)
  if (outer.some((one) => !LIST_NAMES.test(one) && !/^(_embedded|response|body)$/i.test(one))) return false
  if (outer.includes('_embedded') || isNameOf(name, place.path)) return true
  // The `values` of a record are a part of it.
  return LIST_NAMES.test(name) && !looksLikeOne(body, place)
}

/** An envelope with few members besides its only list, such as `{ ok, members, cache_ts }`. */
const MAX_BESIDE = 4

function onlyList(lists: readonly Candidate[], place: Place, body: Schema): Candidate | undefined {
  const outer = lists.filter(({ path }) => path.length === 1)
  if (outer.length !== 1 || looksLikeOne(body, place)) return undefined
  return place.isPaged || body.properties.size <= MAX_BESIDE + 1 ? outer[0] : undefined
}

/** `/v1/purchase-orders.json` and `purchaseOrders` */
function isNameOf(name: string, path: string): boolean {
  const last = path
    .split('/')
    .filter((segment) => segment !== '' && !segment.includes('{'))
    .at(-1)
  return !isOne(path) && last !== undefined && plain(last.replace(/\.\w+$/, '')) === plain(name)
}

const plain = (name: string): string => singular(name.replaceAll(/[^a-z0-9]/gi, '').toLowerCase())

/** True if an object has an id of its own, or if the path names one of many. */
const looksLikeOne = (body: Schema, { path, isPaged }: Place): boolean =>
  (isOne(path) && !isPaged) || ['id', 'uuid', '_id'].some((name) => body.properties.has(name))

/** True for a path that ends in a value: `/users/{id}`, `/users/{id}.json`. */
export const isOne = (path: string): boolean => /\{[^/{}]+\}[^/{}]*\/?$/.test(path)
