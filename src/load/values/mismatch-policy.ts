import { SchemaError } from '../../model/errors.ts'
import type { Table } from '../../model/recipe.ts'
import { columnType } from './column-type.ts'
import type { Fields } from '../encode/fields.ts'
import { TypeMismatch } from './type-mismatch.ts'
import type { MismatchPolicy } from '../encode/page-encoder.ts'
import type { FieldMismatch } from '../encode/row-encoder.ts'
import { columnKindOf } from './value-kind.ts'
import { valueText } from './value-text.ts'
import { widenedKind } from '../shape/widening.ts'

export interface MismatchPolicyOptions {
  readonly table: Table
  readonly fields: Fields
  readonly contract: Table['onSchemaChange']
  /** Whether a change of the table has not been tried yet. */
  readonly mayChange: boolean
}

/**
 * Decides about values that do not fit. Only where another shape of the table would hold the value, the table's
 * contract is asked.
 */
export const mismatchPolicy =
  ({ table, fields, contract, mayChange }: MismatchPolicyOptions): MismatchPolicy =>
  (mismatch, record) => {
    const value = record[mismatch.field]
    if (!couldChange(mismatch, value, fields, table))
      return {
        type: 'reject',
        reason: mismatch.undetermined ? `${mismatch.field}: ${unstorable(value)}` : mismatch.message,
      }
    if (contract === 'freeze') {
      throw new SchemaError(
        `${table.name}: ${mismatch.message}, and its shape is frozen. Change the table, leave the field out with columns: { ${JSON.stringify(mismatch.field)}: false }, or let the shape evolve`,
      )
    }
    return contract === 'evolve' && mayChange ? { type: 'change' } : { type: 'reject', reason: mismatch.message }
  }

function couldChange(mismatch: FieldMismatch, value: unknown, fields: Fields, table: Table): boolean {
  const kind = columnKindOf(value)
  if (kind === undefined) return false
  if (mismatch.undetermined) return true
  const column = fields.loaded(mismatch.field)
  const hopeless = mismatch.cause instanceof TypeMismatch && mismatch.cause.permanent
  return (
    column !== undefined &&
    !column.declared &&
    !hopeless &&
    widenedKind(column.type, kind, { key: column.key, version: column.field === table.versionBy }) !== undefined
  )
}

/** Why no column could hold a value. */
function unstorable(value: unknown): string {
  try {
    const text = valueText(value, columnType(typeof value === 'object' ? 'jsonb' : 'text'), {
      round: false,
      declared: false,
    })
    return text.includes('\0') ? 'it holds a NUL character, which PostgreSQL cannot store' : 'it has no column yet'
  } catch (error) {
    if (error instanceof TypeMismatch) return error.message
    throw error
  }
}
