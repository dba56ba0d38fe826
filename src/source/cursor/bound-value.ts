// `since` and `until` in a request: one end of the range, in the form that the API expects.
import { UsageError } from '../../model/errors.ts'
import type { Bound, ClockFormat, Range } from '../../model/request.ts'
import { isPlainDecimal } from '../../value/decimal-text.ts'
import { instantLayout, instantMs, parseInstant, type Instant } from '../../value/instant.ts'
import { timePattern } from '../../value/time-pattern.ts'
import { zoneNamed } from '../../value/zone.ts'

/** The unit of a cursor's numbers, counted since 1970. */
export type Unit = 's' | 'ms'

/** Returns the value to send, undefined if the range has no such end. Numbers stay numbers, for JSON. */
export function boundValue({ bound, as }: Bound, range: Range, unit: Unit | undefined): string | number | undefined {
  const text = range[bound]
  if (text === undefined || as === undefined) return text
  if (as === 'number') return numberOf(bound, text)
  const instant = instantOf(text, unit)
  if (!instant)
    throw new UsageError(
      `${bound}: '${text}' is not a time, so it cannot be sent as ${typeof as === 'object' ? as.pattern : as}. ` +
        `Give a date, or send ${bound} without unix(), unixMs(), isoDate(), utc() or formatTime()`,
    )
  // A day needs none: it is the one that the text names.
  if (as !== 'date') checkOffset(bound, text)
  const ms = instantMs(instant)
  // Rounds outwards: a bound that is coarser than the range must not cut off records, and the others are filtered.
  const round = bound === 'until' ? ceilTo : floorTo
  if (typeof as === 'object') return clockText(as, bound, round(ms, 1, instant))
  switch (as) {
    case 'utc':
      return new Date(round(ms, 1, instant)).toISOString()
    case 'unix':
      return round(ms, 1_000, instant) / 1_000
    case 'unix ms':
      return round(ms, 1, instant)
    case 'date':
      return new Date(round(outermost(bound, ms, offsetMsOf(text)), DAY_MS, instant)).toISOString().slice(0, 10)
  }
}

/** Throws for a time without an offset. Taken for UTC, it is hours off on another clock, and records are skipped. */
function checkOffset(bound: Bound['bound'], text: string): void {
  const layout = isPlainDecimal(text) ? undefined : instantLayout(text)
  if (!layout || layout.separator === '' || layout.zone.trim() !== '') return
  throw new UsageError(
    `${bound}: '${text}' has no offset, so it does not say which moment it is. Write one, as in startFrom: ` +
      "'2024-01-31T00:00:00Z'. If the API writes such times, name their clock in .incremental(): " +
      "{ time: time('YYYY-MM-DD HH:mm:ss', { zone: 'UTC' }) }",
  )
}

const DAY_MS = 86_400_000

/** An API may count days in UTC, or on the clock that it writes its times by. The outer of the two misses nothing. */
const outermost = (bound: Bound['bound'], ms: number, offsetMs: number): number =>
  bound === 'until' ? Math.max(ms, ms + offsetMs) : Math.min(ms, ms + offsetMs)

const offsetMsOf = (text: string): number =>
  isPlainDecimal(text) ? 0 : (instantLayout(text)?.offsetSeconds ?? 0) * 1_000

/** A clock that is put back or forward is at most two hours off its usual time. */
const CLOCK_CHANGE_MS = 7_200_000

/** Writes a time on the clock of a zone. A time that this clock shows twice, or never, is moved outwards. */
function clockText({ pattern, zone }: ClockFormat, bound: Bound['bound'], ms: number): string {
  const format = timePattern(pattern)
  const clock = zoneNamed(zone)
  const step = format.step ?? 1
  const outwards = bound === 'until' ? 1 : -1
  const wallOf = (at: number): number => {
    const steps = clock.wallAt(at) / step
    return (outwards < 0 ? Math.floor(steps) : Math.ceil(steps)) * step
  }
  const wall = wallOf(ms)
  const isClear = clock.instantsAt(wall).length === 1
  return format.write(isClear ? wall : wallOf(ms + outwards * CLOCK_CHANGE_MS))
}

function numberOf(bound: Bound['bound'], text: string): number {
  const number = Number(text)
  // Another number would be sent: digits beyond those of a double get lost.
  if (isPlainDecimal(text) && String(number) === text) return number
  throw new UsageError(
    `${bound}: '${text}' is no number that JSON can hold exactly. Send ${bound} as text, without asNumber(), ` +
      'or a time as unix() or unixMs()',
  )
}

const floorTo = (ms: number, step: number): number => Math.floor(ms / step) * step
/** Digits beyond milliseconds count as half a millisecond, so that they round up. */
const ceilTo = (ms: number, step: number, { fraction }: Instant): number =>
  Math.ceil((fraction.length > 3 ? ms + 0.5 : ms) / step) * step

/** Returns the time of a cursor's text: a date, or a number of its unit. A number without a unit counts seconds. */
export function instantOf(text: string, unit: Unit | undefined): Instant | undefined {
  const [, whole, fraction = ''] = /^(-?\d+)(?:\.(\d+))?$/.exec(text) ?? []
  if (whole === undefined) return parseInstant(text)
  if (unit !== 'ms') return { seconds: Number(whole), fraction }
  const seconds = Math.floor(Number(whole) / 1_000)
  return { seconds, fraction: String(Number(whole) - seconds * 1_000).padStart(3, '0') + fraction }
}
