import { instantOf, type Unit } from '../../source/cursor/bound-value.ts'
import { cursorKind } from '../../value/cursor-order.ts'
import { instantMs } from '../../value/instant.ts'

/**
 * Returns how many milliseconds a cursor is behind `now`, to the second; undefined if its value is not a time. A number
 * is a time only if its stream declares a unit.
 */
export function cursorAgeMs(value: string, unit: Unit | undefined, now: Date): number | undefined {
  const moment = momentOf(value, unit)
  return moment && now.getTime() - moment.seconds * 1_000
}

/** Returns the milliseconds since 1970 of a cursor, without further digits; undefined if its value is not a time. */
export function cursorTimeMs(value: string, unit: Unit | undefined): number | undefined {
  const moment = momentOf(value, unit)
  return moment && instantMs(moment)
}

const momentOf = (value: string, unit: Unit | undefined) =>
  unit === undefined && cursorKind(value) === 'number' ? undefined : instantOf(value, unit)
