import type { RunEvent } from '../../model/event.ts'
import { WindowProgress } from './window-progress.ts'

/** `stopped`: from outside, before its end. */
export type StreamPhase = 'waits' | 'runs' | 'done' | 'failed' | 'stopped'

/** The rate shown is that of the last while: of a whole night it would say nothing. */
const WHILE_MS = 15_000

/** How one stream is going, told by events. */
export class StreamProgress {
  readonly name: string
  readonly #sums = { rows: 0, pages: 0, requests: 0, retries: 0 }
  readonly #samples: { readonly at: number; readonly rows: number }[] = []
  #state: StreamPhase = 'waits'
  #started = 0
  #ended: number | undefined
  #waiting: { readonly text: string; readonly until: number } | undefined
  #total: { readonly pages: number; readonly before: number; readonly at: number } | undefined
  #windows: WindowProgress | undefined

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
        this.#waiting = undefined
        break
      case 'request.retried':
        sums.retries += 1
        this.#waiting = { text: 'next try', until: now + event.waitMs }
        break
      case 'waiting':
        this.#waiting = { text: names[event.for], until: now + Math.max(event.ms, 500) }
        break
      case 'batch.committed':
        sums.rows += event.counts.fetched + event.counts.expanded
        sums.pages += event.pages
        this.#sample(now)
        break
      case 'slice.finished':
      case 'slice.failed':
        if (this.#windows) this.#windows.ended(event.slice, event.type === 'slice.failed' ? 'f' : 'd')
        else this.#end(event.type === 'slice.failed' ? 'failed' : 'done', now)
        break
      case 'stream.failed':
        this.#end('failed', now)
        break
      case 'table.altered':
      case 'warning':
      case 'run.started':
      case 'run.finished':
      case 'gauge':
    }
  }

  get state(): StreamPhase {
    return this.#state
  }

  get sums(): Readonly<{ rows: number; pages: number; requests: number; retries: number }> {
    return this.#sums
  }

  /** Of a backfill. */
  get windows(): WindowProgress | undefined {
    return this.#windows
  }

  /** Since it began, until now or its end. */
  elapsedMs(now: number): number {
    return this.#state === 'waits' ? 0 : (this.#ended ?? now) - this.#started
  }

  /** Rows in a second: lately while it runs, in all when it has ended. */
  rate(now: number): number {
    const ms = this.elapsedMs(now)
    const [first] = this.#samples
    if (this.#ended !== undefined || !first || ms <= WHILE_MS) return this.#sums.rows / Math.max(0.001, ms / 1_000)
    return (this.#sums.rows - first.rows) / Math.max(0.001, (now - first.at) / 1_000)
  }

  /**
   * How much is done, and how much longer it takes at this pace: only where a plan or the API says how much there is.
   */
  progress(now: number): { readonly share: number; readonly leftMs: number | undefined } | undefined {
    if (this.#windows)
      return { share: this.#windows.share, leftMs: this.#ended === undefined ? this.#windows.leftMs(now) : undefined }
    if (!this.#total || this.#state !== 'runs') return undefined
    const { pages, before, at } = this.#total
    const done = this.#sums.pages - before
    return {
      share: Math.min(1, done / pages),
      leftMs: done > 0 ? Math.max(0, ((now - at) / done) * (pages - done)) : undefined,
    }
  }

  /** What it waits for, and for how much longer. */
  waiting(now: number): { readonly text: string; readonly ms: number } | undefined {
    return this.#state === 'runs' && this.#waiting && this.#waiting.until > now
      ? { text: this.#waiting.text, ms: this.#waiting.until - now }
      : undefined
  }

  /** The run is over. */
  end(now: number): void {
    // A backfill ends when its windows are through, not with one of them.
    if (this.#state === 'runs' && this.#windows?.isThrough)
      this.#end(this.#windows.counts.failed > 0 ? 'failed' : 'done', now)
    else if (this.#state === 'runs' || this.#state === 'waits') this.#end('stopped', now)
  }

  #begin(now: number): void {
    if (this.#state === 'waits') {
      this.#started = now
      this.#sample(now)
    }
    this.#state = 'runs'
    this.#ended = undefined
  }

  #sample(now: number): void {
    this.#samples.push({ at: now, rows: this.#sums.rows })
    while (this.#samples.length > 1 && this.#samples[1]!.at < now - WHILE_MS) this.#samples.shift()
  }

  #end(state: Exclude<StreamPhase, 'waits' | 'runs'>, now: number): void {
    this.#state = state
    this.#ended = now
    this.#waiting = undefined
  }
}

const names = {
  'rate limit': 'rate limit',
  'retry-after': 'Retry-After',
  memory: 'memory',
  lock: 'a lock',
  database: 'database',
} as const
