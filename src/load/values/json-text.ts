import { types } from 'node:util'
import { Decimal } from '../../value/decimal.ts'
import { TypeMismatch } from './type-mismatch.ts'

/** Text as JSON that stands for itself; the library's types do not know it yet. */
const { rawJSON } = JSON as unknown as { rawJSON: (text: string) => unknown }

/**
 * A value as JSON text that says exactly what the value is. `JSON.stringify` alone writes NaN and lost dates as null, a
 * Map as `{}`, a Decimal as a string, and throws on a bigint; so the value is walked first, and only where such numbers
 * occur it is told how to write them.
 */
export function jsonText(value: unknown): string {
  let text: string | undefined
  try {
    text = holdsExactNumbers(value) ? JSON.stringify(value, exactly) : JSON.stringify(value)
  } catch (error) {
    if (error instanceof TypeMismatch) throw error
    throw new TypeMismatch(
      `it cannot be written as JSON: ${error instanceof RangeError ? 'it is nested too deeply, or contains itself' : String(error)}`,
      { hopeless: true },
    )
  }
  if (text.includes('\\u')) refuseUnstorable(text)
  return text
}

function exactly(this: Readonly<Record<string, unknown>>, key: string, value: unknown): unknown {
  // `value` is what toJSON made of it, `this[key]` what stands there.
  const original = this[key]
  if (typeof value === 'bigint') return rawJSON(String(value))
  return original instanceof Decimal ? rawJSON(original.text) : value
}

function holdsExactNumbers(value: unknown): boolean {
  switch (typeof value) {
    case 'number':
      if (!Number.isFinite(value))
        throw new TypeMismatch(`it holds ${value}, which JSON does not know`, { hopeless: true })
      return false
    case 'bigint':
      return true
    case 'object':
      return (
        value !== null &&
        (Array.isArray(value)
          ? listHolds(value)
          : Object.getPrototypeOf(value) === Object.prototype
            ? membersHold(value)
            : strangerHolds(value))
      )
    case 'function':
    case 'symbol':
      throw new TypeMismatch(`it holds a ${typeof value}`, { hopeless: true })
    case 'string':
    case 'boolean':
    case 'undefined':
      return false
  }
}

function listHolds(list: readonly unknown[]): boolean {
  let found = false
  for (let index = 0; index < list.length; index += 1) if (holdsExactNumbers(list[index])) found = true
  return found
}

function membersHold(members: object): boolean {
  let found = false
  for (const name in members) {
    const member = (members as Readonly<Record<string, unknown>>)[name]
    if (typeof member !== 'string' && holdsExactNumbers(member)) found = true
  }
  return found
}

/** An object of a class. */
function strangerHolds(value: object): boolean {
  if (value instanceof Decimal) return true
  if (types.isDate(value)) {
    if (Number.isNaN(value.getTime())) throw new TypeMismatch('it holds an invalid Date', { hopeless: true })
    return false
  }
  if (
    types.isMap(value) ||
    types.isSet(value) ||
    types.isPromise(value) ||
    types.isRegExp(value) ||
    ArrayBuffer.isView(value) ||
    types.isAnyArrayBuffer(value)
  ) {
    throw new TypeMismatch(`it holds a ${value.constructor.name}, which JSON does not know`, { hopeless: true })
  }
  return 'toJSON' in value && typeof value.toJSON === 'function'
    ? holdsExactNumbers(value.toJSON())
    : membersHold(value)
}

/**
 * What `JSON.stringify` escapes: control characters, which are fine but for NUL, and halves of surrogate pairs, which
 * jsonb refuses.
 */
function refuseUnstorable(text: string): void {
  for (const [escape] of text.matchAll(/\\(?:u[\da-f]{4}|.)/g)) {
    if (escape === '\\u0000')
      throw new TypeMismatch('it holds a NUL character, which PostgreSQL cannot store', { hopeless: true })
    if (escape.startsWith('\\ud')) throw new TypeMismatch(loneSurrogate, { hopeless: true })
  }
}

export const loneSurrogate = 'it holds half of a surrogate pair, which is no character'
