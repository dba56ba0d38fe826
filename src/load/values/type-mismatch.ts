import { types } from 'node:util'
import { Decimal } from '../../value/decimal.ts'
import { defineErrorName } from '../../value/error.ts'

/** A value that its column cannot hold as it is: the column is widened, or the record is rejected with this reason. */
export class TypeMismatch extends Error {
  static {
    defineErrorName(this)
  }
  /** No column could hold it: a NUL character, a number that is none. */
  readonly permanent: boolean
  constructor(reason: string, { hopeless = false }: { hopeless?: boolean } = {}) {
    super(reason)
    this.permanent = hopeless
  }
}

/** A value for people: short, on one line. */
export function displayValue(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null && !(value instanceof Decimal))
    return types.isDate(value) ? 'a Date' : 'an object'
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value)
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}
