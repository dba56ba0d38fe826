import { SchemaError } from '../../model/errors.ts'
import type { Table } from '../../model/recipe.ts'
import { columnType } from './column-type.ts'
import type { Fields } from '../encode/fields.ts'
import { Misfit } from './type-mismatch.ts'
import type { Judge } from '../encode/page-encoder.ts'
import type { MisfitIn } from '../encode/row-encoder.ts'
import { kindOf } from './value-kind.ts'
import { valueText } from './value-text.ts'
import { widened } from '../shape/widening.ts'

export interface JudgeOptions {
  readonly table: Table
  readonly fields: Fields
  readonly contract: Table['shape']
  /** Whether a change of the table has not been tried yet. */
  readonly mayChange: boolean
}

/**
 * Decides about values that do not fit. Only where another shape of the table would hold the value, the table's
 * contract is asked.
 */
export const judge =
  ({ table, fields, contract, mayChange }: JudgeOptions): Judge =>
  (misfit, record) => {
    const value = record[misfit.field]
    if (!couldChange(misfit, value, fields, table))
      return { verdict: 'reject', reason: misfit.unmade ? `${misfit.field}: ${unstorable(value)}` : misfit.message }
    if (contract === 'freeze') {
      throw new SchemaError(
        `${table.name}: ${misfit.message}, and its shape is frozen. Change the table, leave the field out with columns: { ${JSON.stringify(misfit.field)}: false }, or let the shape evolve`,
      )
    }
    return contract === 'evolve' && mayChange ? { verdict: 'change' } : { verdict: 'reject', reason: misfit.message }
  }

function couldChange(misfit: MisfitIn, value: unknown, fields: Fields, table: Table): boolean {
  const kind = kindOf(value)
  if (kind === undefined) return false
  if (misfit.unmade) return true
  const column = fields.loaded(misfit.field)
  const hopeless = misfit.cause instanceof Misfit && misfit.cause.hopeless
  return (
    column !== undefined &&
    !column.declared &&
    !hopeless &&
    widened(column.type, kind, { key: column.key, version: column.field === table.version }) !== undefined
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
    if (error instanceof Misfit) return error.message
    throw error
  }
}
