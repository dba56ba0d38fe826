import { types } from 'node:util'
import { Decimal } from '../decimal.ts'
import { defineErrorName } from '../error.ts'
import { illFormedProblem, NUL_CHARACTER } from '../text.ts'
import { MAX_LEVELS, TOO_DEEP } from './max-levels.ts'
import { writeExactNumbers } from './exact-numbers.ts'

/** A value that JSON, or the jsonb of PostgreSQL, cannot hold as it is. The message is the reason: "it holds NaN …". */
export class NotJsonError extends Error {
  static {
    defineErrorName(this)
  }
}

/**
 * Writes a value for a column of type jsonb so that the text says exactly what the value is; otherwise throws a
 * `NotJsonError`. `JSON.stringify` alone writes NaN and invalid dates as null, a Map as `{}`, a Decimal as a string,
 * and throws on a bigint. So the value is checked first; the slower exact writer runs only if exact numbers occur.
 */
export function strictJson(value: unknown): string {
  let text: string | undefined
  try {
    text = checkJson(value) ? JSON.stringify(value, writeExactNumbers) : JSON.stringify(value)
  } catch (error) {
    if (error instanceof NotJsonError) throw error
    const reason = error instanceof RangeError ? 'it is nested too deeply, or contains itself' : String(error)
    throw new NotJsonError(`it cannot be written as JSON: ${reason}`)
  }
  if (text.includes('\\u')) refuseUnstorable(text)
  return text
}

/**
 * Returns true if the value holds a bigint or a Decimal, which need the exact writer. Throws a `NotJsonError` if it
 * holds something that JSON would lose, or more levels than can be stored. `level` is the number of its holders.
 */
export function checkJson(value: unknown, level = 0): boolean {
  switch (typeof value) {
    case 'number':
      if (!Number.isFinite(value)) throw new NotJsonError(`it holds ${value}, which JSON does not know`)
      return false
    case 'bigint':
      return true
    case 'object':
      if (value === null) return false
      if (level === MAX_LEVELS) throw new NotJsonError(`it ${TOO_DEEP}, or contains itself`)
      if (Array.isArray(value)) return checkList(value, level + 1)
      return Object.getPrototypeOf(value) === Object.prototype
        ? checkMembers(value, level + 1)
        : checkInstance(value, level)
    case 'function':
    case 'symbol':
      throw new NotJsonError(`it holds a ${typeof value}`)
    case 'string':
    case 'boolean':
    case 'undefined':
      return false
  }
}

function checkList(list: readonly unknown[], level: number): boolean {
  let found = false
  for (let index = 0; index < list.length; index += 1) if (checkJson(list[index], level)) found = true
  return found
}

function checkMembers(members: object, level: number): boolean {
  let found = false
  for (const name in members) {
    const member = (members as Readonly<Record<string, unknown>>)[name]
    if (typeof member !== 'string' && checkJson(member, level)) found = true
  }
  return found
}

function checkInstance(value: object, level: number): boolean {
  if (value instanceof Decimal) return true
  if (types.isDate(value)) {
    if (Number.isNaN(value.getTime())) throw new NotJsonError('it holds an invalid Date')
    return false
  }
  if (
    types.isMap(value) ||
    types.isSet(value) ||
    types.isPromise(value) ||
    types.isRegExp(value) ||
    ArrayBuffer.isView(value) ||
    types.isAnyArrayBuffer(value)
  )
    throw new NotJsonError(`it holds a ${value.constructor.name}, which JSON does not know`)
  return 'toJSON' in value && typeof value.toJSON === 'function'
    ? checkJson(value.toJSON(), level + 1)
    : checkMembers(value, level + 1)
}

/** Looks at what `JSON.stringify` has escaped: jsonb accepts control characters, but no NUL and no half pairs. */
function refuseUnstorable(text: string): void {
  for (const [escape] of text.matchAll(/\\(?:u[\da-f]{4}|.)/g)) {
    if (escape === '\\u0000') throw new NotJsonError(NUL_CHARACTER)
    if (escape.startsWith('\\ud')) throw new NotJsonError(illFormedProblem(JSON.parse(`"${escape}"`) as string))
  }
}
