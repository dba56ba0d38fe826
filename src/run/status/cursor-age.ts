import { instantOf, type Unit } from '../../source/cursor/bound-value.ts'
import { cursorKind } from '../../value/cursor-order.ts'

/**
 * Returns how many milliseconds a cursor is behind `now`, to the second; undefined if its value is not a time. A number
 * is a time only if its stream declares a unit.
 */
export function cursorAgeMs(value: string, unit: Unit | undefined, now: Date): number | undefined {
  if (unit === undefined && cursorKind(value) === 'number') return undefined
  const moment = instantOf(value, unit)
  return moment && now.getTime() - moment.seconds * 1_000
}
