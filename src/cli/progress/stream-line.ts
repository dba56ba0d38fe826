import type { RunEvent } from '../../model/event.ts'
import { fitted } from '../display-width.ts'

/** `stopped`: from outside, before its end. */
export type State = 'waits' | 'runs' | 'done' | 'failed' | 'stopped'

/** How one stream is going, told by events; one line of text. */
export class StreamLine {
  readonly name: string
  #state: State = 'waits'
  #rows = 0
  #pages = 0
  #retries = 0
  #started = 0
  #ended: number | undefined
  #waiting: { readonly text: string; readonly until: number } | undefined

  constructor(name: string) {
    this.name = name
  }

  event(event: RunEvent, now: number): void {
    switch (event.type) {
      case 'slice started':
        this.#state = 'runs'
        this.#started ||= now
        this.#ended = undefined
        break
      case 'request':
        if (event.status >= 200 && event.status < 300) this.#pages += 1
        this.#waiting = undefined
        break
      case 'retry':
        this.#retries += 1
        this.#waiting = { text: 'waits: next try', until: now + event.waitMs }
        break
      case 'waiting':
        this.#waiting = { text: `waits: ${names[event.for]}`, until: now + Math.max(event.ms, 500) }
        break
      case 'batch':
        this.#rows += event.counts.fetched + event.counts.expanded
        break
      case 'slice finished':
        this.#end('done', now)
        break
      case 'stream failed':
        this.#end('failed', now)
        break
      case 'shape': case 'warning': case 'run started': case 'run finished': case 'plan': case 'slice failed': case 'gauge':
    }
  }

  get state(): State {
    return this.#state
  }

  /** The run is over. */
  end(now: number): void {
    if (this.#state === 'runs' || this.#state === 'waits') this.#end('stopped', now)
  }

  /** `customers     12,400 rows   2,310/s     62 pages  1 retry  waits: Retry-After`: 80 columns hold it all. */
  text(now: number, { nameWidth = this.name.length, width = 80 } = {}): string {
    const seconds = Math.max(0.001, ((this.#ended ?? now) - this.#started) / 1_000)
    const rate = this.#state === 'waits' ? 0 : this.#rows / seconds
    const numbers = `${count(this.#rows).padStart(11)} rows ${count(Math.round(rate)).padStart(7)}/s ${count(this.#pages).padStart(6)} ${this.#pages === 1 ? 'page ' : 'pages'}`
    const retries = this.#retries === 0 ? '' : `  ${count(this.#retries)} ${this.#retries === 1 ? 'retry' : 'retries'}`
    return fitted(`${this.name.padEnd(nameWidth)}${numbers}${retries}${this.#note(now)}`, width).trimEnd()
  }

  #note(now: number): string {
    if (this.#state === 'waits') return '  waits: its turn'
    if (this.#state !== 'runs') return `  ${this.#state}`
    return this.#waiting && this.#waiting.until > now ? `  ${this.#waiting.text}` : ''
  }

  #end(state: Exclude<State, 'waits' | 'runs'>, now: number): void {
    this.#state = state
    this.#ended = now
    this.#waiting = undefined
  }
}

const names = { 'rate limit': 'rate limit', 'retry-after': 'Retry-After', memory: 'memory', lock: 'a lock', database: 'database' } as const

const count = (value: number): string => value.toLocaleString('en-US')
