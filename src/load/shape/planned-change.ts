import type { Queryable } from '../../database/queryable.ts'
import type { Table } from '../../model/recipe.ts'
import { flatRecords } from '../nested/flat-records.ts'
import { isRecord } from '../values/value-kind.ts'
import { planChange } from './change-plan.ts'
import { Fields } from './fields.ts'
import { CONVERSION, conversionStatements } from '../history/conversion.ts'
import { overflowRecords } from './overflow.ts'
import { mayAlter, refusedAlteration, type CreatedTables } from './ownership.ts'
import { schemaChangeFor } from './schema-change.ts'
import type { TableShape } from './table-shape.ts'
import { aroundViews } from './views.ts'

export interface PlannedChangeOptions {
  /** `pipeline.stream`. */
  readonly stream: string
  readonly shape: TableShape
  readonly records: readonly unknown[]
  readonly created?: CreatedTables
}

/**
 * Returns the change of an existing table that a run would make for some records, as a text; '' for none. Throws if
 * Sluice may not make it. Changes nothing.
 */
export async function plannedChange(
  on: Queryable,
  table: Table,
  { stream, shape, records, created }: PlannedChangeOptions,
): Promise<string> {
  const fields = new Fields(table, stream, shape)
  const flat = flatRecords(records, table, fields)
  for (const record of flat) if (isRecord(record)) fields.learn(Object.keys(record))
  const fitting = overflowRecords(flat, { table, fields, shape })
  const alone = planChange(schemaChangeFor({ records: fitting }, fields, table), table, shape, stream)
  const isConverted = table.write === 'history' && !shape.isHistory
  if (isConverted && !(await mayAlter(on, table, shape, created)))
    throw refusedAlteration(table, { change: CONVERSION, statements: await conversionStatements(on, table) })
  if (alone.statements.length === 0) return isConverted ? CONVERSION : ''
  if (table.onSchemaChange !== 'evolve') return isConverted ? `${CONVERSION}, ${alone.change}` : alone.change
  if (!(await mayAlter(on, table, shape, created))) throw refusedAlteration(table, alone)
  const { change, statements, views } = await aroundViews(on, table, alone)
  // What touches objects of others is shown in full before it is done.
  const text = views === undefined ? change : `${change}, by: ${statements.join('; ')}`
  return isConverted ? `${CONVERSION}, ${text}` : text
}
