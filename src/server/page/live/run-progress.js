// @ts-check
/** @typedef {import('../../schemas/resources.ts').Gauge} Gauge */
/** @typedef {import('../../schemas/resources.ts').StreamState} StreamState */

/** The past that the plot shows. */
export const pastSeconds = 180
/** Rates are averaged over this time: rows are stored in batches, so shorter averages jump. */
const SPAN_MS = 10_000
/** A run sends a gauge once a second; an older one is not current. */
const FRESH_MS = 4_500

/** Progress of one run from its gauges. Each gauge has totals, so rates are differences of two. */
export class RunProgress {
  /** @type {(Gauge & { time: number })[]} the oldest first */
  #gauges = []
  /** The backfill of the run. @type {string | undefined} */
  backfill
  /** The newest batch of each stream. @type {Map<string, { seq: number, rows: number, ms: number }>} */
  batches = new Map()
  /** The newest retry of each stream. @type {Map<string, { time: number, reason: string, attempt: number }>} */
  retries = new Map()

  /** @param {Gauge} gauge @param {number} time when it was taken */
  take(gauge, time) {
    // The gauge of the summary arrives before older ones, and after a reconnection some arrive twice.
    const before = this.#gauges.findLastIndex((known) => known.time <= time)
    if (this.#gauges[before]?.time === time) return
    this.#gauges.splice(before + 1, 0, { ...gauge, time })
    const oldest = /** @type {{ time: number }} */ (this.#gauges.at(-1)).time - (pastSeconds + 10) * 1_000
    while (this.#gauges[0] && this.#gauges[0].time < oldest) this.#gauges.shift()
  }

  get gauge() {
    return this.#gauges.at(-1)
  }

  /** Returns true if the last gauge is current. @param {number} now */
  isFresh(now) {
    return this.gauge !== undefined && now - this.gauge.time < FRESH_MS
  }

  /** The streams of the last gauge, in the order of the run. */
  get streams() {
    return Object.keys(this.gauge?.streams ?? {})
  }

  /**
   * Returns the current rates of a stream per second; undefined if the last gauge is not current.
   * @param {string} stream @param {number} now
   */
  rates(stream, now) {
    const last = this.gauge
    const newest = last?.streams[stream]
    if (!last || !newest || !this.isFresh(now)) return undefined
    const first = this.#gauges.findLast(({ time }) => time <= last.time - SPAN_MS) ?? this.#gauges[0]
    const started = first && first !== last && first.streams[stream]
    /** @type {Partial<StreamState>} */
    const oldest = started ? started : {}
    const ms = started ? last.ms - first.ms : last.ms
    /** @param {'requests' | 'bytes' | 'read' | 'stored' | 'apiMs' | 'databaseMs'} name */
    const each = (name) => (ms <= 0 ? 0 : Math.max(0, (newest[name] - (oldest[name] ?? 0)) / (ms / 1_000)))
    return {
      requests: each('requests'),
      bytes: each('bytes'),
      read: each('read'),
      stored: each('stored'),
      api: Math.min(1, each('apiMs') / 1_000),
      database: Math.min(1, each('databaseMs') / 1_000),
    }
  }

  /**
   * Returns the rows per second for each second from `start` (in seconds since 1970); null where unknown.
   * @param {string} stream @param {number} start
   */
  series(stream, start) {
    const [first, last] = [this.#gauges[0], this.#gauges.at(-1)]
    return Array.from({ length: pastSeconds + 1 }, (_, second) => {
      const at = (start + second) * 1_000
      if (!first || !last || at < first.time || at > last.time + 1_000) return null
      const from = Math.max(first.time, at - SPAN_MS)
      // A time too short for a rate.
      return at - from < 2_000
        ? null
        : Math.max(0, (this.#stored(stream, at) - this.#stored(stream, from)) / ((at - from) / 1_000))
    })
  }

  /**
   * Returns the rows stored at a time, interpolated between gauges. @param {string} stream @param
   * {number} at
   */
  #stored(stream, at) {
    const after = this.#gauges.findIndex(({ time }) => time >= at)
    const [before, next] = [
      this.#gauges[after < 0 ? this.#gauges.length - 1 : Math.max(0, after - 1)],
      this.#gauges[after < 0 ? this.#gauges.length - 1 : after],
    ]
    const [low, high] = [before?.streams[stream]?.stored ?? 0, next?.streams[stream]?.stored ?? 0]
    if (!before || !next || next.time === before.time) return high
    return low + (high - low) * Math.min(1, Math.max(0, (at - before.time) / (next.time - before.time)))
  }
}

/**
 * The causes of waiting, each with the step of the data path that it concerns; `isHeld` if that step stands still.
 * @typedef {{ place: 'api' | 'ahead' | 'table' | 'none', words: string, isHeld: boolean }} Wait
 * @type {Record<NonNullable<StreamState['waitsFor']>, Wait>}
 */
export const waits = {
  api: { place: 'api', words: 'the table waits for the API', isHeld: false },
  'rate limit': { place: 'api', words: 'reading waits for the rate limit', isHeld: true },
  'retry-after': { place: 'api', words: 'reading waits because of Retry-After', isHeld: true },
  token: { place: 'api', words: 'reading waits for a token that another process refreshes', isHeld: true },
  memory: { place: 'ahead', words: 'reading waits for memory until more is stored', isHeld: true },
  database: { place: 'table', words: 'reading waits for the database', isHeld: false },
  lock: { place: 'table', words: 'writing waits for a lock of another session', isHeld: true },
  job: { place: 'api', words: 'reading waits for a job of the API', isHeld: true },
  turn: { place: 'none', words: 'waits until other streams are done', isHeld: true },
}
