import { types } from 'node:util'
import { Decimal } from '../../value/decimal.ts'
import { defineErrorName } from '../../value/error.ts'
import type { ColumnType } from './column-type.ts'

/** The option of a column that would admit a value. */
export type AdmittingOption = 'round' | 'zone'

/** A column cannot hold the value as it is. Either the column is widened, or the record is rejected for this reason. */
export class TypeMismatch extends Error {
  static {
    defineErrorName(this)
  }
  /** No column could hold it: a text with a NUL character, an invalid Date. */
  readonly permanent: boolean
  readonly admittedBy: AdmittingOption | undefined
  constructor(
    reason: string,
    { permanent = false, admittedBy }: { permanent?: boolean; admittedBy?: AdmittingOption | undefined } = {},
  ) {
    super(reason)
    this.permanent = permanent
    this.admittedBy = admittedBy
  }
}

/** A type mismatch with the field in which it occurred. */
export class FieldMismatch extends Error {
  static {
    defineErrorName(this)
  }
  readonly field: string
  /** The field has no column yet, because it was always null so far. */
  readonly undetermined: boolean
  constructor(
    field: string,
    reason: string,
    { undetermined = false, cause }: { undetermined?: boolean; cause?: unknown } = {},
  ) {
    super(`${field}: ${reason}`, { cause })
    this.field = field
    this.undetermined = undetermined
  }
}

/** Decides about a value that does not fit: reject its record, or change the table first. */
export type MismatchPolicy = (mismatch: FieldMismatch, record: Readonly<Record<string, unknown>>) => MismatchDecision
export type MismatchDecision = { readonly type: 'reject'; readonly reason: string } | { readonly type: 'change' }

/** Throws the mismatch of a value and its column's type. */
export function doesNotFit(value: unknown, { sql }: ColumnType, more = '', admittedBy?: AdmittingOption): never {
  throw new TypeMismatch(`${displayValue(value)} does not fit ${sql}${more}`, { admittedBy })
}

/** Shows a value to people: short, on one line. */
export function displayValue(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null && !(value instanceof Decimal))
    return types.isDate(value) ? 'a Date' : 'an object'
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value)
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}
