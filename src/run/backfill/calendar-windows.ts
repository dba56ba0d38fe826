import { checkValue } from '../../define/check-value.ts'
import { parseInstant } from '../../value/instant.ts'
import { zoneNamed, type Zone } from '../../value/zone.ts'
import { formatNumber } from '../../value/format.ts'
import { UsageError } from '../../model/errors.ts'
import type { Window } from '../../model/window.ts'

/** A range and its windows, as the options give them. */
export interface WindowWords {
  /** A day, which starts at midnight in the zone, or an instant. */
  readonly from: string
  /** The end, as a day or an instant. It is not included. */
  readonly to: string
  /** `1h`, `1d`, `1w`, `1mo`, `1y`, or several of one. */
  readonly window: string
  /** The time zone that decides when a day starts, such as `Europe/Berlin`. @default 'UTC' */
  readonly zone?: string | undefined
}

/** A range with its ends as instants, in one form. */
export interface CutRange {
  readonly from: string
  readonly to: string
  readonly window: string
  readonly zone: string
  readonly windows: readonly Window[]
}

/** Each window costs a row, a claim and a request. */
const MAX_WINDOWS = 100_000

/**
 * Cuts a range into half-open windows without gaps. Days, weeks, months and years go from a time of the zone's clock to
 * the same time later, so a day on which the clock changes has 23 or 25 hours. Months that start on the 31st end on the
 * last day of a shorter month. The last window ends at `to`.
 */
export function calendarWindows({ from: fromText, to: toText, window, zone: zoneText = 'UTC' }: WindowWords): CutRange {
  const zone = checkValue('zone', () => zoneNamed(zoneText))
  const [from, to] = [instantMs('from', fromText, zone), instantMs('to', toText, zone)]
  if (from >= to)
    throw new UsageError(
      `from ${fromText} is not before to ${toText}. The end is not included, ` +
        'so one day is --from 2024-01-31 --to 2024-02-01',
    )
  const { count, unit } = sizeOf(window)
  const next = stepper(from, zone, count, unit)
  const windows: Window[] = []
  let lower = from
  for (let n = 1; lower < to; n += 1) {
    const upper = Math.min(next(n), to)
    // A day that a zone has skipped, as Samoa did in 2011, has no window.
    if (upper > lower) windows.push({ lower: instantText(lower), upper: instantText(upper) })
    lower = upper
    if (windows.length > MAX_WINDOWS)
      throw new UsageError(
        `from ${fromText} to ${toText} are more than ${formatNumber(MAX_WINDOWS)} windows of ${window}. ` +
          'Choose longer windows',
      )
  }
  return { from: instantText(from), to: instantText(to), window: `${count}${unit}`, zone: zone.name, windows }
}

/** Returns lower bounds of windows in the form of these windows. Throws for one at which no window begins. */
export function boundsOf(
  windows: readonly Window[],
  lowers: readonly string[] | undefined,
): readonly string[] | undefined {
  return lowers?.map((text) => {
    const bound = Number.isNaN(Date.parse(text)) ? text : instantText(new Date(text))
    if (!windows.some(({ lower }) => lower === bound))
      throw new UsageError(`onlyWindows: no window of this backfill begins at ${text}`)
    return bound
  })
}

type Unit = 'h' | 'd' | 'w' | 'mo' | 'y'

function sizeOf(window: string): { readonly count: number; readonly unit: Unit } {
  const [, count = '', unit] = /^([1-9]\d{0,3})(h|d|w|mo|y)$/.exec(window) ?? []
  if (unit === undefined)
    throw new UsageError(`'${window}' is not a window: write a whole number and one of h, d, w, mo, y, such as 1d`)
  return { count: Number(count), unit: unit as Unit }
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/**
 * Returns a function for the n-th bound after the first. It always counts from the first bound: from January 31st,
 * February ends on the 29th and March on the 31st again.
 */
function stepper(from: number, zone: Zone, count: number, unit: Unit): (n: number) => number {
  const wall = zone.wallAt(from)
  const first = new Date(wall)
  switch (unit) {
    case 'h':
      return (n) => from + n * count * HOUR_MS
    case 'd':
      return (n) => zone.firstAt(wall + n * count * DAY_MS)
    case 'w':
      return (n) => zone.firstAt(wall + n * count * 7 * DAY_MS)
    case 'mo':
      return (n) => zone.firstAt(monthsLater(first, n * count))
    case 'y':
      return (n) => zone.firstAt(monthsLater(first, n * count * 12))
  }
}

function monthsLater(first: Date, months: number): number {
  const month = first.getUTCMonth() + months
  const days = new Date(Date.UTC(first.getUTCFullYear(), month + 1, 0)).getUTCDate()
  return (
    Date.UTC(first.getUTCFullYear(), month, Math.min(first.getUTCDate(), days)) +
    (first.getTime() - Date.UTC(first.getUTCFullYear(), first.getUTCMonth(), first.getUTCDate()))
  )
}

/** Returns an instant in milliseconds. A text without an offset is a time of the zone's clock. */
function instantMs(name: 'from' | 'to', text: string, zone: Zone): number {
  const instant = parseInstant(text)
  if (!instant || instant.fraction.length > 3)
    throw new UsageError(
      `${name}: '${text}' is neither a day nor an instant. Write 2024-01-31, or 2024-01-31T12:00:00Z`,
    )
  const ms = instant.seconds * 1_000 + Number(instant.fraction.padEnd(3, '0'))
  const hasOffset = /[T ].*(?:Z|[+-]\d\d(?::?\d\d)?)$/i.test(text)
  return hasOffset ? ms : zone.firstAt(ms)
}

/** Returns an instant in the form that most APIs accept: without milliseconds if they are zero. */
export const instantText = (at: number | Date): string => new Date(at).toISOString().replace('.000Z', 'Z')
