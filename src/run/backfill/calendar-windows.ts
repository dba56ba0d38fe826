import { parseInstant } from '../../value/instant.ts'
import { UsageError } from '../../model/errors.ts'
import type { Window } from '../../model/window.ts'

/** A range and how it is cut, as it was asked for. */
export interface WindowWords {
  /** A day, which begins at midnight in the zone, or a moment. */
  readonly from: string
  /** The same; not included. */
  readonly to: string
  /** `1h`, `1d`, `1w`, `1mo`, `1y`, or several of one. */
  readonly window: string
  /** Whose calendar says when a day begins, as `Europe/Berlin`. @default 'UTC' */
  readonly zone?: string | undefined
}

/** A range with its ends as moments, the same however they were written. */
export interface CutRange {
  readonly from: string
  readonly to: string
  readonly window: string
  readonly zone: string
  readonly windows: readonly Window[]
}

/** More are no help to anybody: each is a row, a claim and a request. */
const MAX_WINDOWS = 100_000

/**
 * Windows that tile a range, half-open. Hours are hours; a day, a week, a month, a year goes from a time of the zone's
 * clock to the same one later, so that a day on which the clock changes is one window of 23 or 25 hours. They are
 * counted from `from`: months from the 31st end on the last day of a shorter month. The last one ends at `to`.
 */
export function calendarWindows({ from: fromText, to: toText, window, zone: zoneText = 'UTC' }: WindowWords): CutRange {
  const zone = new Zone(zoneText)
  const [from, to] = [momentOf('from', fromText, zone), momentOf('to', toText, zone)]
  if (from >= to)
    throw new UsageError(
      `from ${fromText} is not before to ${toText}: the end is not included, so a day is --from 2024-01-31 --to 2024-02-01`,
    )
  const { count, unit } = sizeOf(window)
  const next = stepper(from, zone, count, unit)
  const bounds = [from]
  for (let n = 1; bounds.at(-1)! < to; n += 1) {
    const bound = Math.min(next(n), to)
    // A day that a zone has left out, as Samoa did in 2011, is no window.
    if (bound > bounds.at(-1)!) bounds.push(bound)
    if (bounds.length > MAX_WINDOWS + 1)
      throw new UsageError(
        `from ${fromText} to ${toText} are more than ${MAX_WINDOWS.toLocaleString('en-US')} windows of ${window}: choose longer ones`,
      )
  }
  const texts = bounds.map(instantText)
  return {
    from: texts[0]!,
    to: texts.at(-1)!,
    window: `${count}${unit}`,
    zone: zone.name,
    windows: texts.slice(1).map((upper, place) => ({ lower: texts[place]!, upper })),
  }
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
    throw new UsageError(`'${window}' is no window: write a whole number and one of h, d, w, mo, y, as in 1d`)
  return { count: Number(count), unit: unit as Unit }
}

const hour = 3_600_000
const day = 24 * hour

/**
 * The n-th bound after the first. Counted from the first one each time, so that what a short month has cut off comes
 * back.
 */
function stepper(from: number, zone: Zone, count: number, unit: Unit): (n: number) => number {
  const wall = zone.wallAt(from)
  const first = new Date(wall)
  switch (unit) {
    case 'h':
      return (n) => from + n * count * hour
    case 'd':
      return (n) => zone.firstAt(wall + n * count * day)
    case 'w':
      return (n) => zone.firstAt(wall + n * count * 7 * day)
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

/** With an offset a moment; without one a time of the zone's clock. */
function momentOf(name: 'from' | 'to', text: string, zone: Zone): number {
  const instant = parseInstant(text)
  if (!instant || instant.fraction.length > 3)
    throw new UsageError(`${name}: '${text}' is neither a day nor a moment: write 2024-01-31, or 2024-01-31T12:00:00Z`)
  const ms = instant.seconds * 1_000 + Number(instant.fraction.padEnd(3, '0'))
  const hasOffset = /[T ].*(?:Z|[+-]\d\d(?::?\d\d)?)$/i.test(text)
  return hasOffset ? ms : zone.firstAt(ms)
}

/** As most APIs take a time. */
export const instantText = (at: number | Date): string => new Date(at).toISOString().replace('.000Z', 'Z')

/** A zone's clock; its times are counted as if they were UTC. */
class Zone {
  readonly name: string
  readonly #clock: Intl.DateTimeFormat

  constructor(name: string) {
    try {
      this.#clock = new Intl.DateTimeFormat('en-US', {
        timeZone: name,
        hourCycle: 'h23',
        year: 'numeric',
        month: 'numeric',
        day: 'numeric',
        hour: 'numeric',
        minute: 'numeric',
        second: 'numeric',
      })
    } catch (cause) {
      throw new UsageError(`'${name}' is no time zone: write its name, as Europe/Berlin or UTC`, { cause })
    }
    this.name = this.#clock.resolvedOptions().timeZone
  }

  /** What the clock shows at a moment. */
  wallAt(ms: number): number {
    if (this.name === 'UTC') return ms
    // `3/31/2024, 03:00:00`: a third of what its parts would cost, and a long range asks often.
    const [m, d, y, ...time] = this.#clock.format(ms).match(/\d+/g)!.map(Number) as [
      number,
      number,
      number,
      number,
      number,
      number,
    ]
    return Date.UTC(y, m - 1, d, ...time) + (((ms % 1_000) + 1_000) % 1_000)
  }

  /** The first moment at which the clock shows this time, or one after it where it leaves it out. */
  firstAt(wall: number): number {
    if (this.name === 'UTC') return wall
    const before = this.#offsetAt(wall - 36 * hour)
    const after = this.#offsetAt(wall + 36 * hour)
    const [early, late] = before > after ? [wall - before, wall - after] : [wall - after, wall - before]
    const shown = [early, late].find((ms) => this.wallAt(ms) === wall)
    if (shown !== undefined) return shown
    // Left out: the moment of the change itself, somewhere between the two. In whole seconds, as clocks change: halving
    // would not end between others.
    let [low, high] = [Math.floor(early / 1_000) * 1_000, Math.ceil(late / 1_000) * 1_000]
    while (high - low > 1_000) {
      const middle = Math.floor((low + high) / 2_000) * 1_000
      if (this.#offsetAt(middle) === after) high = middle
      else low = middle
    }
    return high
  }

  #offsetAt(ms: number): number {
    return this.wallAt(ms) - ms
  }
}
