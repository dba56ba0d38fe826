import type { RunEvent } from '../../model/event.ts'
import { StreamProgress } from './stream-progress.ts'

/** Receives the events of a run, and is disposed at its end. */
export interface Progress extends Disposable {
  readonly on: (event: RunEvent) => void
}

/** Shows nothing. */
export const noProgress: Progress = { on: () => {}, [Symbol.dispose]: () => {} }

/** Further failed windows are counted, not printed. */
const MAX_PRINTED_FAILURES = 10

/** Prints a line that stays on the screen. */
type PrintNotice = (text: string, kind: 'warning' | 'failure') => void

export interface TrackerOptions {
  /** A report follows at the end, with the reason of each failure. @default false */
  readonly isReported?: boolean | undefined
}

/** Keeps the progress of each stream up to date by the events of a run, and prints warnings and failures. */
export class ProgressTracker {
  #streams: readonly StreamProgress[]
  readonly #print: PrintNotice
  readonly #isReported: boolean
  /** The start of each window that is being read, by its slice. */
  readonly #windows = new Map<string, string>()
  #failedWindows = 0
  /** Printed warnings. Each window of a backfill may repeat the same one. */
  readonly #warnings = new Set<string>()

  constructor(names: readonly string[], print: PrintNotice, { isReported = false }: TrackerOptions = {}) {
    this.#isReported = isReported
    this.#streams = names.map((name) => new StreamProgress(name))
    this.#print = print
  }

  get streams(): readonly StreamProgress[] {
    return this.#streams
  }

  event(event: RunEvent): void {
    // A backfill leaves out streams that cannot be read in windows.
    if (event.type === 'run.started') this.#streams = this.#streams.filter(({ name }) => event.streams.includes(name))
    if ('stream' in event && event.stream !== undefined)
      this.streams.find(({ name }) => name === event.stream)?.event(event, performance.now())
    this.#printNotice(event)
  }

  end(): void {
    for (const stream of this.streams) stream.end(performance.now())
  }

  #printNotice(event: RunEvent): void {
    const stream = 'stream' in event && event.stream !== undefined ? `${event.stream}: ` : ''
    if (event.type === 'warning') this.#printWarning(`warning: ${stream}${event.message}`)
    else if (event.type === 'stream.failed') {
      // The report would repeat it in the next lines, unless other streams go on.
      if (!this.#isReported || this.#goesOnWithout(event.stream))
        this.#print(`failed: ${stream}${event.error}`, 'failure')
    } else if (event.type === 'slice.started' && event.lower !== undefined)
      this.#windows.set(event.slice, event.lower.replace(/T00:00:00(?:\.000)?Z$/, ''))
    else if (event.type === 'slice.finished') this.#windows.delete(event.slice)
    else if (event.type === 'slice.failed') {
      this.#failedWindows += 1
      if (this.#failedWindows <= MAX_PRINTED_FAILURES)
        this.#print(`failed window ${this.#windows.get(event.slice) ?? ''}: ${stream}${event.error}`, 'failure')
      else if (this.#failedWindows === MAX_PRINTED_FAILURES + 1)
        this.#print('more windows failed; they are counted below and not printed', 'failure')
    }
  }

  #goesOnWithout(stream: string): boolean {
    return this.#streams.some(({ name, phase }) => name !== stream && (phase === 'running' || phase === 'waiting'))
  }

  #printWarning(text: string): void {
    if (this.#warnings.has(text)) return
    this.#warnings.add(text)
    this.#print(text, 'warning')
  }
}
