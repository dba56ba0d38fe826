// Days and times for date, time and timestamp columns, exactly as the column returns them.
import { types } from 'node:util'
import { dateText, fractionDigits, isDay, parseLocalTime, significantFraction } from '../../value/instant.ts'
import type { ColumnType, TextOptions } from './column-type.ts'
import { displayValue, doesNotFit, TypeMismatch } from './type-mismatch.ts'

export function timestampText(value: unknown, type: ColumnType, options: TextOptions): string {
  const isZoned = type.base === 'timestamptz'
  if (types.isDate(value)) {
    const text = validDateText(value)
    return limitFraction(isZoned ? text : text.replace('Z', ''), type, options)
  }
  if (typeof value !== 'string') return doesNotFit(value, type)
  if (isZoned) {
    if (fractionDigits(value) < 0) return localTimestampText(value, type, options)
  } else if (!isDay(value) && fractionDigits(`${value}Z`) < 0) {
    if (fractionDigits(value) < 0) doesNotFit(value, type)
    // PostgreSQL ignores the offset here.
    if (!/(?:[Zz]|[+-]00:?00)$/.test(value) && !options.round)
      doesNotFit(value, type, ', which would lose the offset', 'round')
  }
  return limitFraction(value, type, options)
}

/** Returns a time without an offset in UTC. It is read on the clock of the column's zone. */
function localTimestampText(value: string, type: ColumnType, options: TextOptions): string {
  const { zone } = options
  const local = parseLocalTime(value)
  if (!local) return doesNotFit(value, type, ': it needs a day and a time that exist, and an offset')
  if (!zone) return doesNotFit(value, type, ': it has no offset', 'zone')
  const [instant, another] = zone.instantsAt(local.seconds * 1_000)
  const text = displayValue(value)
  if (instant === undefined)
    throw new TypeMismatch(`${text} does not exist in ${zone.name}: the clock is put forward over it`)
  if (another !== undefined)
    throw new TypeMismatch(`${text} comes twice in ${zone.name}: the clock is put back over it`)
  const fraction = local.fraction === '' ? '' : `.${local.fraction}`
  return limitFraction(dateText(new Date(instant)).replace('.000Z', `${fraction}Z`), type, options)
}

export function dayText(value: unknown, type: ColumnType, { round, declared }: TextOptions): string {
  const text = types.isDate(value) ? validDateText(value) : value
  if (typeof text !== 'string') return doesNotFit(value, type)
  if (isDay(text)) return text
  if (fractionDigits(text) < 0) return doesNotFit(value, type)
  // A column that is declared as a date also takes a midnight in UTC: some APIs write a day like that.
  return round || (declared && /^.{10}T00:00:00(?:\.0+)?Z$/.test(text))
    ? text.slice(0, 10)
    : doesNotFit(value, type, ' without losing its time', 'round')
}

/** Returns the text if the column keeps all its fraction digits: six, or fewer by its declaration. */
export function limitFraction(text: string, type: ColumnType, { round }: TextOptions): string {
  const limit = type.limits[0] ?? 6
  return round || significantFraction(text).length <= limit
    ? text
    : doesNotFit(text, type, ' without being rounded', 'round')
}

export function validDateText(value: Date): string {
  if (Number.isNaN(value.getTime())) throw new TypeMismatch('it is an invalid Date', { permanent: true })
  return dateText(value)
}
