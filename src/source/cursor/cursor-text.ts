// Arithmetic on cursor values as text. It keeps their format, because an API expects its own format back.
import { UsageError } from '../../model/errors.ts'
import type { Incremental } from '../../model/recipe.ts'
import { parseInstant } from '../../value/instant.ts'
import { duration } from '../../value/duration.ts'
import { wholeMs, type Unit } from './bound-value.ts'

const NUMBER = /^-?\d+(?:\.\d+)?$/
/** A date, or a time whose seconds, fraction and offset may be missing. */
const TIME = /^(\d{4}-\d\d-\d\d)(?:([T ])(\d\d:\d\d)(:\d\d)?(?:([.,])(\d+))?(\s?(?:Z|[+-]\d\d(?::?\d\d)?))?)?$/i

/** Subtracts the lookback from a cursor, in the same format, rounded down to the digits of the cursor. */
export function subtractLookback(
  text: string,
  lookback: NonNullable<Incremental['lookback']>,
  unit: Unit | undefined,
): string {
  if (NUMBER.test(text)) {
    if (typeof lookback === 'number') return subtractNumber(text, String(lookback))
    if (unit === undefined)
      throw new UsageError(
        `lookback '${lookback}': the cursor is a number. ` +
          "Add its unit, as in { unit: 's' }, or give a number as lookback",
      )
    return subtractNumber(text, String(duration(lookback) / (unit === 's' ? 1_000 : 1)))
  }
  if (typeof lookback === 'number')
    throw new UsageError(`lookback ${lookback}: the cursor '${text}' is not a number. Give a duration, as in '5m'`)
  if (!TIME.test(text))
    throw new UsageError(
      `lookback '${lookback}': the cursor '${text}' is neither a time nor a number. Remove the lookback`,
    )
  return subtractMs(text, BigInt(Math.round(duration(lookback))))
}

/** Returns a time in the format of a cursor, rounded down; undefined if the cursor's format has no times. */
export function formatLike(text: string, time: Date, unit: Unit | undefined): string | undefined {
  if (!NUMBER.test(text)) return TIME.test(text) ? formatUnits(text, BigInt(time.getTime()), 3) : undefined
  return unit === undefined ? undefined : numberInUnit(time.getTime(), unit)
}

/** Returns a date as the number that a cursor with this unit holds, and any other text unchanged. */
export function toUnit(text: string, unit: Unit | undefined): string {
  if (unit === undefined || NUMBER.test(text)) return text
  const instant = parseInstant(text)
  return instant ? numberInUnit(wholeMs(instant), unit) : text
}

const numberInUnit = (ms: number, unit: Unit): string => String(unit === 's' ? Math.floor(ms / 1_000) : ms)

/** Subtracts decimals exactly. The result has the digits of `text`. */
function subtractNumber(text: string, amount: string): string {
  const digits = fractionOf(text).length
  const scale = Math.max(digits, fractionOf(amount).length)
  const difference = toScaled(text, scale) - toScaled(amount, scale)
  return fromScaled(divideDown(difference, 10n ** BigInt(scale - digits)), digits)
}
const fractionOf = (text: string): string => text.split('.')[1] ?? ''
const toScaled = (text: string, scale: number): bigint =>
  BigInt(text.replace('.', '') + '0'.repeat(scale - fractionOf(text).length))
function fromScaled(value: bigint, digits: number): string {
  if (digits === 0) return value.toString()
  const text = (value < 0n ? -value : value).toString().padStart(digits + 1, '0')
  return `${value < 0n ? '-' : ''}${text.slice(0, -digits)}.${text.slice(-digits)}`
}

/** Integer division that rounds towards minus infinity; `/` of bigints rounds towards 0. */
const divideDown = (value: bigint, divisor: bigint): bigint =>
  value < 0n && value % divisor !== 0n ? value / divisor - 1n : value / divisor

function subtractMs(text: string, ms: bigint): string {
  const instant = parseInstant(text)
  if (!instant) throw new UsageError(`the cursor '${text}' names a day that does not exist`)
  const digits = Math.max(3, instant.fraction.length)
  const units =
    BigInt(instant.seconds) * 10n ** BigInt(digits) +
    BigInt(instant.fraction.padEnd(digits, '0')) -
    ms * 10n ** BigInt(digits - 3)
  return formatUnits(text, units, digits)
}

/** Formats a time, counted in units of 10^-digits seconds since 1970, as `like`: with its parts, digits and offset. */
function formatUnits(like: string, units: bigint, digits: number): string {
  const [, , separator, , second, point, fraction = '', zone = ''] = TIME.exec(like) ?? []
  const offset = zone.trim().length > 1 ? (parseInstant(`1970-01-01T00:00${zone.trim()}`)?.seconds ?? 0) : 0
  const perSecond = 10n ** BigInt(digits)
  const local = units - BigInt(offset) * perSecond
  const seconds = divideDown(local, perSecond)
  const iso = new Date(Number(seconds) * 1_000).toISOString()
  if (separator === undefined) return iso.slice(0, 10)
  const rest = (local - seconds * perSecond).toString().padStart(digits, '0').padEnd(fraction.length, '0')
  return [
    iso.slice(0, 10),
    separator,
    iso.slice(11, 16),
    second === undefined ? '' : iso.slice(16, 19),
    point === undefined ? '' : point + rest.slice(0, fraction.length),
    zone,
  ].join('')
}
