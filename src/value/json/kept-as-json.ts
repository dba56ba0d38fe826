import { types } from 'node:util'
import { decimalParts } from '../decimal-text.ts'
import { Decimal } from '../decimal.ts'
import { messageOf } from '../error.ts'
import { rawJSON } from './exact-numbers.ts'

/** `JSON.stringify` fails with a stack overflow some thousand levels down. */
const MAX_DEPTH = 500

/** Stands for what is deeper. */
export const CUT = `[more than ${MAX_DEPTH} levels deep]`

/**
 * Returns a copy that JSON can hold. Members that it cannot hold become text (`NaN`, `[Function: f]`, `[Circular]`,
 * bytes as `\x…`), a Set becomes a list, a Map an object or a list of pairs.
 */
export const keptAsJson = (value: unknown): unknown => kept(value, [])

function kept(value: unknown, holders: readonly object[]): unknown {
  switch (typeof value) {
    case 'number':
      return Number.isFinite(value) ? value : String(value)
    case 'function':
      return `[Function: ${value.name === '' ? 'anonymous' : value.name}]`
    case 'symbol':
      return String(value)
    case 'object':
      return value === null ? null : keptObject(value, holders)
    case 'string':
    case 'boolean':
    case 'bigint':
    case 'undefined':
      return value
  }
}

function keptObject(value: object, holders: readonly object[]): unknown {
  if (holders.includes(value)) return '[Circular]'
  if (holders.length === MAX_DEPTH) return CUT
  try {
    return keptMembers(value, [...holders, value])
  } catch (error) {
    // A getter, a toJSON or a Proxy of the user's has thrown.
    return `[not readable: ${messageOf(error)}]`
  }
}

function keptMembers(value: object, holders: readonly object[]): unknown {
  const keep = (member: unknown): unknown => kept(member, holders)
  if (Array.isArray(value)) return Array.from(value, keep)
  if (value instanceof Decimal) return isJsonNumber(value.text) ? value : value.text
  if (types.isDate(value)) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString()
  if (types.isSet(value)) return Array.from(value, keep)
  if (types.isMap(value)) return keptMap(value, keep)
  if (ArrayBuffer.isView(value)) return hex(value.buffer, value.byteOffset, value.byteLength)
  if (types.isAnyArrayBuffer(value)) return hex(value, 0, value.byteLength)
  if (types.isRegExp(value)) return String(value)
  if (types.isPromise(value)) return '[Promise]'
  if ('toJSON' in value && typeof value.toJSON === 'function') return keep(value.toJSON())
  const named = Error.isError(value) ? { name: value.name, message: value.message } : {}
  return { ...named, ...Object.fromEntries(Object.keys(value).map((name) => [name, keep(memberOf(value, name))])) }
}

/** Reads one member; if its getter throws, the others are kept. */
function memberOf(value: object, name: string): unknown {
  try {
    return (value as Readonly<Record<string, unknown>>)[name]
  } catch (error) {
    return `[not readable: ${messageOf(error)}]`
  }
}

function keptMap(map: ReadonlyMap<unknown, unknown>, keep: (member: unknown) => unknown): unknown {
  const pairs = [...map]
  return pairs.every(([key]) => typeof key === 'string')
    ? Object.fromEntries(pairs.map(([key, member]) => [key, keep(member)]))
    : pairs.map((pair) => pair.map(keep))
}

const hex = (buffer: ArrayBufferLike, start: number, length: number): string =>
  `\\x${Buffer.from(buffer, start, length).toString('hex')}`

/** True if a text is a number in JSON. The text of a `Decimal` need not be one: `new Decimal('007')`. */
function isJsonNumber(text: string): boolean {
  try {
    rawJSON(text)
    return decimalParts(text) !== undefined
  } catch {
    return false
  }
}
