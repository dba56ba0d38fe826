import type { RunEvent, RunGauge, StreamState, WaitsFor } from '../model/event.ts'
import type { ReadCounts } from '../model/page.ts'
import type { Scope } from '../model/scope.ts'

export interface ProgressMeterOptions {
  readonly streams: readonly string[]
  readonly memory: { readonly used: number; readonly limit: number; readonly waiting: number }
  /** Called once a second, and at the end. */
  readonly onGauge: (gauge: RunGauge) => void
}

const GAUGE_INTERVAL_MS = 1_000

/**
 * Measures the progress of a run for clients that watch it through the ledger: one event a second. It needs every event
 * of the run (`event`), the requests of its clients (`client`) and the pages of each slice (`sliceReader`).
 */
export class ProgressMeter implements Disposable {
  readonly #options: ProgressMeterOptions
  readonly #startedAt = performance.now()
  readonly #streams: ReadonlyMap<string, StreamMeter>
  readonly #timer: NodeJS.Timeout
  #due = performance.now() + GAUGE_INTERVAL_MS

  constructor(options: ProgressMeterOptions) {
    this.#options = options
    this.#streams = new Map(options.streams.map((name) => [name, new StreamMeter()]))
    this.#timer = setInterval(() => this.#emit(), GAUGE_INTERVAL_MS).unref()
  }

  event(event: RunEvent): void {
    if ('stream' in event && event.stream !== undefined) this.#streams.get(event.stream)?.event(event)
  }

  /** Returns clients that count their requests. */
  client(clientOf: Scope['client']): Scope['client'] {
    return (api) => {
      const client = clientOf(api)
      return {
        send: async (request, options) => {
          using _ = this.#streams.get(options.stream ?? '')?.request()
          return await client.send(request, options)
        },
      }
    }
  }

  /** Call it when a slice is read from its last committed position, and what it returns for each page. */
  sliceReader(stream: string, slice: string): (counts: ReadCounts) => void {
    const meter = this.#streams.get(stream)
    meter?.sliceStarted(slice)
    return (counts) => meter?.page(slice, counts)
  }

  /** Emits the final sums. */
  finish(): void {
    for (const meter of this.#streams.values()) meter.end()
    this.#emit()
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }

  #emit(): void {
    const now = performance.now()
    const { used, limit, waiting } = this.#options.memory
    this.#options.onGauge({
      type: 'gauge',
      ms: Math.round(now - this.#startedAt),
      memory: { used, limit, waiting },
      loopMs: Math.max(0, Math.round(now - this.#due)),
      streams: Object.fromEntries([...this.#streams].map(([name, meter]) => [name, meter.state(waiting > 0, now)])),
    })
    this.#due = now + GAUGE_INTERVAL_MS
  }
}

/** Counts one stream. */
class StreamMeter {
  readonly #ahead = new Map<string, number>()
  readonly #sums = {
    requests: 0,
    bytes: 0,
    retries: 0,
    waitMs: 0,
    pages: 0,
    read: 0,
    stored: 0,
    rejected: 0,
    batches: 0,
    databaseMs: 0,
  }
  #underWay = 0
  #apiMs = 0
  #since = 0
  #started = false
  #finished = false
  #ended = false
  #waits: { readonly for: WaitsFor; readonly until: number } | undefined

  event(event: RunEvent): void {
    const sums = this.#sums
    switch (event.type) {
      case 'request.finished':
        sums.requests += 1
        sums.bytes += event.bytes
        break
      case 'request.retried':
        sums.retries += 1
        break
      case 'waiting':
        if (event.for === 'rate limit' || event.for === 'retry-after') sums.waitMs += event.ms
        // A wait for memory is reported when it is over.
        if (event.for !== 'memory')
          this.#waits = { for: event.for, until: performance.now() + event.ms + (event.for === 'lock' ? 500 : 0) }
        break
      case 'slice.started':
        this.#started = true
        this.#waits = undefined
        break
      case 'batch.committed':
        sums.batches += 1
        sums.stored += event.counts.fetched + event.counts.expanded
        sums.rejected += event.counts.rejected
        sums.databaseMs += event.ms
        this.#ahead.set(event.slice, Math.max(0, (this.#ahead.get(event.slice) ?? 0) - event.pages))
        break
      case 'slice.finished':
      case 'slice.failed':
        this.#ahead.delete(event.slice)
        this.#finished = true
        break
      case 'stream.finished':
      case 'stream.failed':
        this.end()
        break
      case 'run.started':
      case 'run.finished':
      case 'backfill.planned':
      case 'pages.total':
      case 'table.altered':
      case 'response.skipped':
      case 'warning':
      case 'gauge':
    }
  }

  request(): Disposable {
    this.#started = true
    if (this.#underWay === 0) this.#since = performance.now()
    this.#underWay += 1
    return {
      [Symbol.dispose]: () => {
        this.#underWay -= 1
        if (this.#underWay === 0) this.#apiMs += performance.now() - this.#since
      },
    }
  }

  sliceStarted(slice: string): void {
    this.#ahead.set(slice, 0)
  }

  page(slice: string, { fetched, expanded }: ReadCounts): void {
    this.#sums.pages += 1
    this.#sums.read += fetched + expanded
    this.#ahead.set(slice, (this.#ahead.get(slice) ?? 0) + 1)
  }

  end(): void {
    this.#ended = true
    this.#ahead.clear()
  }

  state(isMemoryFull: boolean, now: number): StreamState {
    const { databaseMs, waitMs, ...sums } = this.#sums
    const ahead = [...this.#ahead.values()].reduce((sum, pages) => sum + pages, 0)
    return {
      ...sums,
      ahead,
      underWay: this.#underWay,
      waitMs: Math.round(waitMs),
      databaseMs: Math.round(databaseMs),
      apiMs: Math.round(this.#apiMs + (this.#underWay > 0 ? now - this.#since : 0)),
      waitsFor: this.#waitsFor(ahead, isMemoryFull, now),
    }
  }

  #waitsFor(ahead: number, isMemoryFull: boolean, now: number): WaitsFor | null {
    if (this.#ended) return null
    if (this.#waits && this.#waits.until > now) return this.#waits.for
    if (!this.#started) return 'turn'
    if (this.#underWay > 0) return isMemoryFull ? 'memory' : 'api'
    if (ahead > 0) return 'database'
    return this.#finished && this.#ahead.size === 0 ? null : 'api'
  }
}
