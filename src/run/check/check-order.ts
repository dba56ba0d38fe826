// Are the records in the order that `.incremental` declares?
import type { Incremental, Order } from '../../model/recipe.ts'
import { cursorAt } from '../../source/cursor/cursor-at.ts'
import { compareValues, cursorValue, type CursorValue } from '../../source/cursor/cursor-value.ts'
import { valueFrom } from '../../source/response-value.ts'
import { problem, type Remark } from './finding.ts'

/** Returns where the first page is not in the declared order. A reading that stops by the order would miss records. */
export function checkOrder(incremental: Incremental, records: readonly unknown[]): Remark[] {
  const { at, order = 'any' } = incremental
  if (order === 'any') return []
  const values = cursorValuesOf(incremental, records)
  const wrong = values.findIndex((value, index) => isWrong(order, values[index - 1], value))
  const [before, value] = [values[wrong - 1], values[wrong]]
  if (!before || !value) return []
  const isOpposite = orderOf(values) === OPPOSITE[order]
  return [
    problem(
      `.incremental(${nameOfCursor(at)}) says order: '${order}', but ` +
        (isOpposite
          ? `the records of the first page are in ${OPPOSITE[order]} order`
          : `'${before.raw}' comes before '${value.raw}' on the first page`) +
        `. A reading ends behind its range in this order, so it would miss records. ` +
        `${isOpposite ? `Write order: '${OPPOSITE[order]}'` : 'Remove order'}, or let the API sort by this field`,
    ),
  ]
}

const OPPOSITE = { ascending: 'descending', descending: 'ascending' } as const

/** Returns the order of values, undefined if there is none, or if all are equal. */
export function orderOf(values: readonly CursorValue[]): Exclude<Order, 'any'> | undefined {
  for (const order of ['ascending', 'descending'] as const) {
    const steps = values.slice(1).map((value, index) => ({ from: values[index], to: value }))
    const isOrdered = steps.every(({ from, to }) => !isWrong(order, from, to) && from?.kind === to.kind)
    if (isOrdered && steps.some(({ from, to }) => isWrong(OPPOSITE[order], from, to))) return order
  }
  return undefined
}

/** Returns the values of the cursor that records have. */
export function cursorValuesOf(incremental: Incremental, records: readonly unknown[]): CursorValue[] {
  const at = cursorAt(incremental)
  return records
    .map((record) => cursorValue(valueFrom(at, record)))
    .filter((value) => value !== undefined)
    .filter((value) => value !== null)
}

export const nameOfCursor = (at: Incremental['at']): string => (typeof at === 'string' ? `'${at}'` : 'function')

/** True if a value cannot follow the one before. Values of two kinds have no order. */
function isWrong(order: Exclude<Order, 'any'>, before: CursorValue | undefined, value: CursorValue): boolean {
  if (before?.kind !== value.kind) return false
  const difference = compareValues(value, before)
  return order === 'ascending' ? difference < 0 : difference > 0
}
