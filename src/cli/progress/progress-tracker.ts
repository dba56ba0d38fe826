import type { RunEvent } from '../../model/event.ts'
import { StreamProgress } from './stream-progress.ts'

/** Whoever is told of a run's events while it goes on, and closed at its end. */
export interface Progress extends Disposable {
  readonly on: (event: RunEvent) => void
}

/** Nobody looks. */
export const noProgress: Progress = { on: () => {}, [Symbol.dispose]: () => {} }

/** More failed windows than these are counted, and not told one by one. */
const MOST_TOLD = 10

/** The streams of a run, told by its events; and what people are to read even when the run has gone on. */
export class ProgressTracker {
  #streams: readonly StreamProgress[]
  readonly #say: (text: string, as: 'warning' | 'failure') => void
  /** Where the windows begin that are being read. */
  readonly #windows = new Map<string, string>()
  #failedWindows = 0

  constructor(names: readonly string[], say: (text: string, as: 'warning' | 'failure') => void) {
    this.#streams = names.map((name) => new StreamProgress(name))
    this.#say = say
  }

  get streams(): readonly StreamProgress[] {
    return this.#streams
  }

  event(event: RunEvent): void {
    // Of a backfill some may have no windows, and are no part of it.
    if (event.type === 'run.started') this.#streams = this.#streams.filter(({ name }) => event.streams.includes(name))
    if ('stream' in event && event.stream !== undefined)
      this.streams.find(({ name }) => name === event.stream)?.event(event, performance.now())
    const of = 'stream' in event && event.stream !== undefined ? `${event.stream}: ` : ''
    if (event.type === 'slice.started' && event.lower !== undefined)
      this.#windows.set(event.slice, event.lower.replace(/T00:00:00(?:\.000)?Z$/, ''))
    if (event.type === 'slice.finished') this.#windows.delete(event.slice)
    if (event.type === 'warning') this.#say(`warning: ${of}${event.message}`, 'warning')
    else if (event.type === 'stream.failed') this.#say(`failed: ${of}${event.error}`, 'failure')
    else if (event.type === 'slice.failed') {
      this.#failedWindows += 1
      if (this.#failedWindows <= MOST_TOLD)
        this.#say(`failed window ${this.#windows.get(event.slice) ?? ''}: ${of}${event.error}`, 'failure')
      else if (this.#failedWindows === MOST_TOLD + 1)
        this.#say('more windows have failed, which are counted below and not told one by one', 'failure')
    }
  }

  end(): void {
    for (const stream of this.streams) stream.end(performance.now())
  }
}
