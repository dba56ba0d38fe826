const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** No clock is further from UTC than this. */
const MAX_OFFSET_MS = 16 * HOUR_MS
const MAX_CACHED_DAYS = 10_000

/** The clock of a time zone. A wall time is given in milliseconds, as if it were UTC. */
export class Zone {
  readonly name: string
  readonly #clock: Intl.DateTimeFormat
  /** The offset of days on which the clock does not change, by their number. */
  readonly #offsets = new Map<number, number | undefined>()

  /** Throws a RangeError for a name that is not a time zone. */
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
      throw new RangeError(`'${name}' is not a time zone. Write a name such as Europe/Berlin or UTC`, { cause })
    }
    this.name = this.#clock.resolvedOptions().timeZone
  }

  /** Returns the wall time at an instant. */
  wallAt(ms: number): number {
    if (this.name === 'UTC') return ms
    // A text such as `3/31/2024, 03:00:00` costs a third of `formatToParts`, and a long range needs many.
    const parts = this.#clock.format(ms).match(/\d+/g) ?? []
    const [month = 1, day = 1, year = 1970, hour = 0, minute = 0, second = 0] = parts.map(Number)
    return Date.UTC(year, month - 1, day, hour, minute, second) + (((ms % 1_000) + 1_000) % 1_000)
  }

  /** Returns the instants with a wall time: none if the clock skips it, two if the clock is put back over it. */
  instantsAt(wall: number): number[] {
    if (this.name === 'UTC') return [wall]
    const day = Math.floor(wall / DAY_MS)
    const offset = this.#offsetOfDay(day)
    if (offset !== undefined) return [wall - offset]
    return this.#offsetsBetween(wall - MAX_OFFSET_MS, wall + MAX_OFFSET_MS)
      .map((one) => wall - one)
      .filter((ms) => this.wallAt(ms) === wall)
      .toSorted((a, b) => a - b)
  }

  /** Returns the first instant with a wall time. If the clock skips that time: the instant of the change. */
  firstAt(wall: number): number {
    if (this.name === 'UTC') return wall
    const before = this.#offsetAt(wall - 36 * HOUR_MS)
    const after = this.#offsetAt(wall + 36 * HOUR_MS)
    const [early, late] = before > after ? [wall - before, wall - after] : [wall - after, wall - before]
    const shown = [early, late].find((ms) => this.wallAt(ms) === wall)
    if (shown !== undefined) return shown
    // The instant of the change lies between the two. Clocks change at whole seconds, so the bisection ends.
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

  /** Returns the offset of a day, or undefined if the clock may change on it. */
  #offsetOfDay(day: number): number | undefined {
    if (this.#offsets.has(day)) return this.#offsets.get(day)
    const start = day * DAY_MS
    const [offset, ...others] = this.#offsetsBetween(start - MAX_OFFSET_MS, start + DAY_MS + MAX_OFFSET_MS)
    const only = others.length === 0 ? offset : undefined
    if (this.#offsets.size >= MAX_CACHED_DAYS) this.#offsets.clear()
    this.#offsets.set(day, only)
    return only
  }

  #offsetsBetween(from: number, to: number): number[] {
    return [...new Set([from, (from + to) / 2, to].map((ms) => this.#offsetAt(ms)))]
  }
}

const zones = new Map<string, Zone>()

/** Returns the zone of a name, the same object each time. Throws a RangeError for a name that is not a time zone. */
export function zoneNamed(name: string): Zone {
  const zone = zones.get(name) ?? new Zone(name)
  zones.set(name, zone)
  return zone
}

/**
 * Returns true for the name of a time zone. An offset is refused: it has no summer time, and other programs do not
 * accept it.
 */
export function isZoneName(name: unknown): name is string {
  if (typeof name !== 'string' || !/^[A-Za-z][\w+-]*(?:\/[\w+-]+)*$/.test(name)) return false
  try {
    return zoneNamed(name).name !== ''
  } catch {
    return false
  }
}
