// Arithmetic on cursor values as text. It keeps their format, because an API expects its own format back.
import { UsageError } from '../../model/errors.ts'
import type { Incremental } from '../../model/recipe.ts'
import { isPlainDecimal, subtractDecimal } from '../../value/decimal-text.ts'
import { duration } from '../../value/duration.ts'
import { formatLike, subtractMs } from '../../value/instant-text.ts'
import { instantMs, parseInstant } from '../../value/instant.ts'
import type { Unit } from './bound-value.ts'

/** Subtracts the lookback from a cursor, in the same format, rounded down to the digits of the cursor. */
export function subtractLookback(
  text: string,
  lookback: NonNullable<Incremental['lookback']>,
  unit: Unit | undefined,
): string {
  if (isPlainDecimal(text)) {
    if (typeof lookback === 'number') return subtractDecimal(text, String(lookback))
    if (unit === undefined)
      throw new UsageError(
        `lookback '${lookback}': the cursor is a number. ` +
          "Add its unit, as in { unit: 's' }, or give a number as lookback",
      )
    return subtractDecimal(text, String(duration(lookback) / (unit === 's' ? 1_000 : 1)))
  }
  if (typeof lookback === 'number')
    throw new UsageError(`lookback ${lookback}: the cursor '${text}' is not a number. Give a duration, as in '5m'`)
  const earlier = subtractMs(text, duration(lookback))
  if (earlier === undefined)
    throw new UsageError(
      `lookback '${lookback}': the cursor '${text}' is neither a time nor a number. Remove the lookback`,
    )
  return earlier
}

/** Returns the time that is `ms` milliseconds after a cursor, in the same format, rounded down to its digits. */
export function addTime(text: string, ms: number, unit: Unit | undefined): string {
  if (isPlainDecimal(text)) return subtractDecimal(text, String(-ms / (unit === 's' ? 1_000 : 1)))
  return subtractMs(text, -ms) ?? text
}

/** Returns a time in the format of a cursor, rounded down; undefined if the cursor's format has no times. */
export function timeLike(text: string, time: Date, unit: Unit | undefined): string | undefined {
  if (!isPlainDecimal(text)) return formatLike(text, time)
  return unit === undefined ? undefined : numberInUnit(time.getTime(), unit)
}

/** Returns a date as the number that a cursor with this unit holds, and any other text unchanged. */
export function toUnit(text: string, unit: Unit | undefined): string {
  if (unit === undefined || isPlainDecimal(text)) return text
  const instant = parseInstant(text)
  return instant ? numberInUnit(instantMs(instant), unit) : text
}

const numberInUnit = (ms: number, unit: Unit): string => String(unit === 's' ? Math.floor(ms / 1_000) : ms)
