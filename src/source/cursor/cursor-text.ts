// Arithmetic on cursor values that keeps their text format, because an API expects its own back.
import { parseInstant } from '../../value/instant.ts'
import { UsageError } from '../../model/errors.ts'
import { duration } from '../../value/duration.ts'
import type { Incremental } from '../../model/recipe.ts'
import type { Unit } from './bound.ts'

const number = /^-?\d+(?:\.\d+)?$/
const moment = /^(\d{4}-\d\d-\d\d)(?:([T ])(\d\d:\d\d)(:\d\d)?(?:([.,])(\d+))?(\s?(?:Z|[+-]\d\d(?::?\d\d)?))?)?$/i

/** A cursor less its lookback, in the same format, rounded down to the digits that it has. */
export function lessLookback(
  text: string,
  lookback: NonNullable<Incremental['lookback']>,
  unit: Unit | undefined,
): string {
  if (number.test(text)) {
    if (typeof lookback === 'string' && unit === undefined)
      throw new UsageError(
        `lookback '${lookback}' of a cursor that is a number: say its unit, { unit: 's' }, or give the lookback as a number`,
      )
    const amount =
      typeof lookback === 'string' ? String(duration(lookback) / (unit === 's' ? 1_000 : 1)) : String(lookback)
    return lessNumber(text, amount)
  }
  if (typeof lookback === 'number')
    throw new UsageError(
      `lookback ${lookback} of the cursor '${text}': a time is looked back from by a duration, as in '5m'`,
    )
  if (!moment.test(text))
    throw new UsageError(
      `lookback '${lookback}' of the cursor '${text}': this is neither a time nor a number, so leave the lookback out`,
    )
  return lessMs(text, BigInt(Math.round(duration(lookback))))
}

/** A moment in the format of a cursor's text, rounded down. Undefined where it has no such format. */
export function momentLike(text: string, at: Date, unit: Unit | undefined): string | undefined {
  if (number.test(text))
    return unit === undefined ? undefined : String(unit === 's' ? Math.floor(at.getTime() / 1_000) : at.getTime())
  return moment.test(text) ? formatted(text, BigInt(at.getTime()), 3) : undefined
}

/** A date as the number that a cursor with a unit holds; other text stays. */
export function inUnit(text: string, unit: Unit | undefined): string {
  const instant = unit === undefined || number.test(text) ? undefined : parseInstant(text)
  if (!instant) return text
  const ms = instant.seconds * 1_000 + Number(instant.fraction.padEnd(3, '0').slice(0, 3))
  return String(unit === 's' ? Math.floor(ms / 1_000) : ms)
}

function lessNumber(text: string, amount: string): string {
  const digits = fraction(text).length
  const scale = Math.max(digits, fraction(amount).length)
  const left = scaled(text, scale) - scaled(amount, scale)
  const step = 10n ** BigInt(scale - digits)
  return unscaled(left < 0n && left % step !== 0n ? left / step - 1n : left / step, digits)
}
const fraction = (text: string): string => text.split('.')[1] ?? ''
const scaled = (text: string, scale: number): bigint =>
  BigInt(text.replace('.', '') + '0'.repeat(scale - fraction(text).length))
function unscaled(value: bigint, digits: number): string {
  if (digits === 0) return value.toString()
  const text = (value < 0n ? -value : value).toString().padStart(digits + 1, '0')
  return `${value < 0n ? '-' : ''}${text.slice(0, -digits)}.${text.slice(-digits)}`
}

function lessMs(text: string, ms: bigint): string {
  const instant = parseInstant(text)
  if (!instant) throw new UsageError(`the cursor '${text}' names a day that does not exist`)
  const digits = Math.max(3, instant.fraction.length)
  const units =
    BigInt(instant.seconds) * 10n ** BigInt(digits) +
    BigInt(instant.fraction.padEnd(digits, '0')) -
    ms * 10n ** BigInt(digits - 3)
  return formatted(text, units, digits)
}

/**
 * A moment, counted in 10^-digits seconds, written as `like` is: as a day or a time, with its digits, its separators
 * and its offset.
 */
function formatted(like: string, units: bigint, digits: number): string {
  const [, , separator, , second, point, tail = '', zone = ''] = moment.exec(like) ?? []
  const offset = zone.trim().length > 1 ? (parseInstant(`1970-01-01T00:00${zone.trim()}`)?.seconds ?? 0) : 0
  const one = 10n ** BigInt(digits)
  const local = units - BigInt(offset) * one
  const seconds = local >= 0n || local % one === 0n ? local / one : local / one - 1n
  const iso = new Date(Number(seconds) * 1_000).toISOString()
  if (separator === undefined) return iso.slice(0, 10)
  const rest = (local - seconds * one).toString().padStart(digits, '0').padEnd(tail.length, '0').slice(0, tail.length)
  return (
    iso.slice(0, 10) +
    separator +
    iso.slice(11, 16) +
    (second === undefined ? '' : iso.slice(16, 19)) +
    (point === undefined ? '' : point + rest) +
    zone
  )
}
