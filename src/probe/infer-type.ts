// The type of records, from samples of them.
import { Decimal } from '../value/decimal.ts'
import type { FieldType, TypeTree } from './found.ts'

/** Deeper values are `unknown`: nobody reads such a type. */
const MAX_DEPTH = 6
/** An object with more names than this may be a map whose names are data. */
const MIN_MAP_NAMES = 8

/** Numbers that large may pass 2^53 in later records. Times in microseconds are smaller. */
const LARGE = 2 ** 52

/**
 * Returns the type that all values have. A field that some objects lack is optional; values of several kinds make a
 * union. Without values it is unknown.
 *
 * @example
 * inferType([{ id: 1, note: null }, { id: 2, note: 'a', tags: [] }])
 */
export function inferType(values: readonly unknown[], depth = MAX_DEPTH): TypeTree {
  const objects: object[] = []
  const items: unknown[] = []
  let hasList = false
  let isLarge = false
  const kinds = new Set<Simple>()
  for (const value of values) {
    if (Array.isArray(value)) {
      hasList = true
      items.push(...(value as unknown[]))
    } else if (typeof value === 'object' && value !== null && !(value instanceof Decimal)) objects.push(value)
    else if (value !== undefined) kinds.add(kindOf(value))
    isLarge ||= typeof value === 'bigint' || (Number.isSafeInteger(value) && Math.abs(value as number) > LARGE)
  }
  // A whole number beyond 2^53 arrives as a bigint, the others as numbers: samples may show only one of them.
  if (isLarge) kinds.add('number').add('bigint')
  const types: TypeTree[] = [
    ...ORDER.filter((kind) => kind !== 'null' && kinds.has(kind)).map((kind) => ({ kind })),
    ...(hasList ? [{ kind: 'list', of: depth > 0 ? inferType(items, depth - 1) : UNKNOWN } as const] : []),
    ...(objects.length > 0 ? [depth > 0 ? objectType(objects, depth - 1) : UNKNOWN] : []),
    ...(kinds.has('null') ? [{ kind: 'null' } as const] : []),
  ]
  return unionOf(types)
}

/** Returns one type for several: the only one, a union, or unknown if one of them is, or if there is none. */
export function unionOf(types: readonly TypeTree[]): TypeTree {
  const [only, ...others] = types
  if (!only) return UNKNOWN
  if (others.length === 0) return only
  return types.some(({ kind }) => kind === 'unknown') ? UNKNOWN : { kind: 'union', of: types }
}

const UNKNOWN = { kind: 'unknown' } as const

/** The order in a union. */
const ORDER = ['text', 'number', 'bigint', 'decimal', 'boolean', 'null'] as const
type Simple = (typeof ORDER)[number]

function kindOf(value: unknown): Simple {
  if (value === null) return 'null'
  if (value instanceof Decimal) return 'decimal'
  const type = typeof value
  return type === 'number' || type === 'bigint' || type === 'boolean' ? type : 'text'
}

function objectType(objects: readonly object[], depth: number): TypeTree {
  const values = new Map<string, unknown[]>()
  for (const object of objects)
    for (const [name, value] of Object.entries(object)) {
      const known = values.get(name)
      if (known) known.push(value)
      else values.set(name, [value])
    }
  if (isMap([...values.keys()], objects)) return { kind: 'map', of: inferType([...values.values()].flat(), depth) }
  const fields = [...values].map(([name, given]): FieldType => {
    const isOptional = given.length < objects.length || given.includes(undefined)
    return { name, type: inferType(given, depth), ...(isOptional && { isOptional }) }
  })
  return { kind: 'object', fields }
}

/** True if the names look like data: ids, days, or many names that few of the objects share. */
function isMap(names: readonly string[], objects: readonly object[]): boolean {
  if (names.length === 0) return false
  if (names.every((name) => /^\d+$|^[0-9a-f]{8}-[0-9a-f-]{27}$|^\d{4}-\d\d-\d\d/i.test(name))) return true
  if (objects.length < 2 || names.length < MIN_MAP_NAMES) return false
  const perObject = objects.reduce((sum, object) => sum + Object.keys(object).length, 0) / objects.length
  // Objects of one kind share most of their names.
  return names.length > perObject * 4
}
