// The steps by which a history is changed. Each is run, and the next one sees what it has done.
import type { Queryable } from '../../database/queryable.ts'
import type { Transaction } from '../../database/transaction.ts'
import type { Table } from '../../model/recipe.ts'
import { refusedAlteration } from '../shape/ownership.ts'
import type { SchemaChange } from '../shape/schema-change.ts'
import { readShape, type TableShape } from '../shape/table-shape.ts'
import { CONVERSION, conversionStatements } from './conversion.ts'
import { dropViewSql, readCurrentView, viewStatements, type CurrentView } from './current-view.ts'

export interface HistorySteps {
  readonly table: Table
  readonly mayAlter: (on: Queryable, shape: TableShape) => Promise<boolean>
}

type Step = (transaction: Transaction) => Promise<readonly string[]>

/**
 * Returns the steps of a change: the view goes before types are widened, which it hinders, and has the columns of the
 * table afterwards.
 */
export function historySteps(history: HistorySteps, { widen }: SchemaChange, alter: Step): readonly Step[] {
  let dropped: CurrentView | undefined
  const dropView: Step = async (transaction) => {
    // With others the view is made again by the change itself.
    if (widen.length === 0 || history.table.views === 'recreate' || !(await ownShape(transaction, history))) return []
    dropped = (await readCurrentView(transaction, history.table.name)).view
    return dropped ? [dropViewSql(history.table.name)] : []
  }
  return [dropView, alter, fitView(history, () => dropped)]
}

/** Returns the steps that an existing table needs before rows are written to it as a history; often none. */
export async function openingSteps(on: Queryable, history: HistorySteps, shape: TableShape): Promise<readonly Step[]> {
  const { table, mayAlter } = history
  const convert: Step = async (transaction) => {
    const now = await readShape(transaction, table)
    if (!now || now.isHistory) return []
    const statements = await conversionStatements(transaction, table)
    if (!(await mayAlter(transaction, now))) throw refusedAlteration(table, { change: CONVERSION, statements })
    return statements
  }
  if (!shape.isHistory) return [convert, fitView(history)]
  if (!(await mayAlter(on, shape))) return []
  const state = await readCurrentView(on, table.name)
  return viewStatements(table.name, state).length > 0 ? [fitView(history)] : []
}

/** Makes the view, or brings it in step with its table. A table of another program gets none. */
const fitView =
  (history: HistorySteps, dropped: () => CurrentView | undefined = () => undefined): Step =>
  async (transaction) => {
    if (!(await ownShape(transaction, history))) return []
    return viewStatements(history.table.name, await readCurrentView(transaction, history.table.name), dropped())
  }

async function ownShape(on: Queryable, { table, mayAlter }: HistorySteps): Promise<TableShape | undefined> {
  const shape = await readShape(on, table)
  return shape && (await mayAlter(on, shape)) ? shape : undefined
}
