import { SchemaError } from '../../model/errors.ts'
import type { Table } from '../../model/recipe.ts'
import { illFormedProblem, NUL_CHARACTER } from '../../value/text.ts'
import type { Fields } from '../shape/fields.ts'
import { widenedKind } from '../shape/widening.ts'
import { columnType } from '../values/column-type.ts'
import { TypeMismatch, type FieldMismatch, type MismatchPolicy } from '../values/type-mismatch.ts'
import { columnKindOf } from '../values/value-kind.ts'
import { valueText } from '../values/value-text.ts'
import { fieldsText, meantText } from './missing-key.ts'
import { CORRECT_IT, remedyFor } from './remedy.ts'

export interface MismatchPolicyOptions {
  readonly table: Table
  readonly fields: Fields
  readonly contract: Table['onSchemaChange']
  /** False once a change of the table was tried for this page. */
  readonly mayChange: boolean
}

/**
 * Decides about values that do not fit their column. The table's contract matters only if another shape of the table
 * could hold the value; otherwise the record is rejected.
 */
export const mismatchPolicy =
  ({ table, fields, contract, mayChange }: MismatchPolicyOptions): MismatchPolicy =>
  (mismatch, record) => {
    const value = record[mismatch.field]
    if (!couldChange(mismatch, value, fields, table))
      return { type: 'reject', reason: reasonOf(mismatch, record, fields, table) }
    if (contract === 'freeze') {
      throw new SchemaError(
        `${table.name}: ${mismatch.message}, and its shape is frozen. Change the table, leave the field out with ` +
          `columns: { ${JSON.stringify(mismatch.field)}: false }, or let the shape evolve`,
      )
    }
    if (contract === 'evolve' && mayChange) return { type: 'change' }
    const remedy = mismatch.undetermined ? 'adds a column' : 'widens the column'
    return { type: 'reject', reason: `${mismatch.message}. onSchemaChange: 'evolve' ${remedy}` }
  }

function couldChange(mismatch: FieldMismatch, value: unknown, fields: Fields, table: Table): boolean {
  const kind = columnKindOf(value)
  if (kind === undefined || !mismatch.field.isWellFormed()) return false
  if (mismatch.undetermined) return true
  const column = fields.loaded(mismatch.field)
  if (!column || column.declared || (mismatch.cause instanceof TypeMismatch && mismatch.cause.permanent)) return false
  return widenedKind(column.type, kind, { key: column.key, version: column.field === table.versionBy }) !== undefined
}

/** Returns the reason of a reject: the mismatch, and how the record could be stored. */
function reasonOf(
  mismatch: FieldMismatch,
  record: Readonly<Record<string, unknown>>,
  fields: Fields,
  table: Table,
): string {
  const { field, message, cause } = mismatch
  const value = record[field]
  if (value === undefined && table.key.includes(field)) return missingKey(field, record)
  if (!field.isWellFormed())
    return `${field.toWellFormed()}: as the name of a field, ${illFormedProblem(field)}. ${CORRECT_IT}`
  if (mismatch.undetermined) return `${field}: ${whyNoColumn(value)}. ${CORRECT_IT}`
  const column = fields.loaded(field)
  if (value === null || value === undefined)
    return `${message}. Give it a value with .map(), or leave the record out with .filter()`
  return `${message}. ${column ? remedyFor(value, cause, column, table) : CORRECT_IT}`
}

/** Returns the reason for a record without a field of the key: most often the key has another name. */
const missingKey = (field: string, record: Readonly<Record<string, unknown>>): string =>
  `${field}: it belongs to the key, and the record has no such field (it has ${fieldsText(record)})` +
  `${meantText(field, record) || '.'} ` +
  'Name the field that identifies a record as the key'

/** Returns the reason why no column could be made for a value. */
function whyNoColumn(value: unknown): string {
  try {
    const type = columnType(typeof value === 'object' ? 'jsonb' : 'text')
    const text = valueText(value, type, { round: false, declared: false })
    return text.includes('\0') ? NUL_CHARACTER : 'it has no column yet'
  } catch (error) {
    if (error instanceof TypeMismatch) return error.message
    throw error
  }
}
