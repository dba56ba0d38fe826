import type { RunEvent } from '../../model/event.ts'
import { RateMeter } from './rate-meter.ts'
import { WindowProgress } from './window-progress.ts'

/** `stopped`: the run ended before the stream did. */
export type StreamPhase = 'waiting' | 'running' | 'done' | 'failed' | 'stopped'

/** A wait is shown at least this long, so that it can be read. */
const MIN_WAIT_MS = 500

/** The progress of one stream, computed from the events of its run. */
export class StreamProgress {
  readonly name: string
  readonly #sums = { rows: 0, pages: 0, requests: 0, retries: 0 }
  readonly #meter = new RateMeter()
  #phase: StreamPhase = 'waiting'
  #started = 0
  #ended: number | undefined
  #wait: { readonly text: string; readonly until: number } | undefined
  #total: { readonly pages: number; readonly before: number; readonly at: number } | undefined
  #windows: WindowProgress | undefined
  #isOpen = false

  constructor(name: string) {
    this.name = name
  }

  event(event: RunEvent, now: number): void {
    const sums = this.#sums
    switch (event.type) {
      case 'backfill.planned':
        this.#windows = new WindowProgress(event)
        this.#begin(now)
        break
      case 'slice.started':
        this.#windows?.started(event.slice, event.windowIndex, now)
        this.#begin(now)
        break
      case 'pages.total':
        if (!this.#windows) this.#total = { pages: event.pages, before: sums.pages, at: now }
        break
      case 'request.finished':
        sums.requests += 1
        this.#wait = undefined
        break
      case 'request.retried':
        sums.retries += 1
        this.#wait = { text: 'next try', until: now + event.waitMs }
        break
      case 'waiting':
        this.#wait = { text: WAIT_TEXTS[event.for], until: now + Math.max(event.ms, MIN_WAIT_MS) }
        break
      case 'batch.committed':
        sums.rows += event.counts.fetched + event.counts.expanded
        sums.pages += event.pages
        this.#meter.sample(sums.rows, now)
        break
      case 'slice.finished':
        this.#isOpen ||= event.completeness?.grade === 'open'
        this.#sliceEnded(event.slice, event.completeness?.grade === 'open' ? 'unproven' : 'done', now)
        break
      case 'slice.failed':
        this.#sliceEnded(event.slice, 'failed', now)
        break
      case 'stream.failed':
        this.#end('failed', now)
        break
      case 'stream.finished':
        this.#end(PHASES[event.status], now)
        break
      case 'run.started':
      case 'run.finished':
      case 'table.altered':
      case 'response.skipped':
      case 'warning':
      case 'gauge':
    }
  }

  get phase(): StreamPhase {
    return this.#phase
  }

  get sums(): Readonly<{ rows: number; pages: number; requests: number; retries: number }> {
    return this.#sums
  }

  /** True if a reading of the stream could not prove that it has read everything. */
  get isOpen(): boolean {
    return this.#isOpen
  }

  /** The windows of a backfill; undefined in other runs. */
  get windows(): WindowProgress | undefined {
    return this.#windows
  }

  /** Milliseconds from the start of the stream to its end, or to now. */
  elapsedMs(now: number): number {
    return this.#phase === 'waiting' ? 0 : (this.#ended ?? now) - this.#started
  }

  /** Rows per second: of the last 15 seconds while the stream runs, of all its time after its end. */
  rate(now: number): number {
    return this.#meter.rate(this.#sums.rows, this.elapsedMs(now), { now, isEnded: this.#ended !== undefined })
  }

  /**
   * Returns the part that is done, from 0 to 1, and the time that is left at this pace. Returns undefined if neither a
   * plan nor the API says how much there is.
   */
  progress(now: number): { readonly share: number; readonly leftMs: number | undefined } | undefined {
    if (this.#windows)
      return { share: this.#windows.share, leftMs: this.#ended === undefined ? this.#windows.leftMs(now) : undefined }
    if (!this.#total || this.#phase !== 'running') return undefined
    const { pages, before, at } = this.#total
    const done = this.#sums.pages - before
    return {
      share: Math.min(1, done / pages),
      leftMs: done > 0 ? Math.max(0, ((now - at) / done) * (pages - done)) : undefined,
    }
  }

  /** Returns the reason of the current wait, and how long it still takes. */
  wait(now: number): { readonly text: string; readonly ms: number } | undefined {
    return this.#phase === 'running' && this.#wait && this.#wait.until > now
      ? { text: this.#wait.text, ms: this.#wait.until - now }
      : undefined
  }

  /** Called at the end of the run. A backfill ends here, and not with one of its windows. */
  end(now: number): void {
    if (this.#phase === 'running' && this.#windows?.isThrough)
      this.#end(this.#windows.counts.failed > 0 ? 'failed' : 'done', now)
    else if (this.#phase === 'running' || this.#phase === 'waiting') this.#end('stopped', now)
  }

  #begin(now: number): void {
    if (this.#phase === 'waiting') {
      this.#started = now
      this.#meter.sample(this.#sums.rows, now)
    }
    this.#phase = 'running'
    this.#ended = undefined
  }

  #sliceEnded(slice: string, result: 'done' | 'unproven' | 'failed', now: number): void {
    if (this.#windows) this.#windows.ended(slice, result)
    else this.#end(result === 'failed' ? 'failed' : 'done', now)
  }

  #end(phase: Exclude<StreamPhase, 'waiting' | 'running'>, now: number): void {
    this.#phase = phase
    this.#ended = now
    this.#wait = undefined
  }
}

const PHASES = { done: 'done', failed: 'failed', interrupted: 'stopped', 'not run': 'stopped' } as const

const WAIT_TEXTS = {
  'rate limit': 'rate limit',
  'retry-after': 'Retry-After',
  token: 'a token',
  memory: 'memory',
  lock: 'a lock',
  database: 'database',
  job: 'a job of the API',
} as const
