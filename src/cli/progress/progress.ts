import type { RunEvent } from '../../model/event.ts'
import { StreamState } from './stream-state.ts'

/** Whoever is told of a run's events while it goes on, and closed at its end. */
export interface Progress extends Disposable {
  readonly on: (event: RunEvent) => void
}

/** Nobody looks. */
export const noProgress: Progress = { on: () => {}, [Symbol.dispose]: () => {} }

/** More failed windows than these are counted, and not told one by one. */
const MOST_TOLD = 10

/** The streams of a run, told by its events; and what people are to read even when the run has gone on. */
export class Told {
  readonly streams: readonly StreamState[]
  readonly #say: (text: string, as: 'warning' | 'failure') => void
  #failedWindows = 0

  constructor(names: readonly string[], say: (text: string, as: 'warning' | 'failure') => void) {
    this.streams = names.map((name) => new StreamState(name))
    this.#say = say
  }

  event(event: RunEvent): void {
    if ('stream' in event && event.stream !== undefined) this.streams.find(({ name }) => name === event.stream)?.event(event, performance.now())
    const of = 'stream' in event && event.stream !== undefined ? `${event.stream}: ` : ''
    if (event.type === 'warning') this.#say(`warning: ${of}${event.message}`, 'warning')
    else if (event.type === 'stream failed') this.#say(`failed: ${of}${event.error}`, 'failure')
    else if (event.type === 'slice failed') {
      this.#failedWindows += 1
      if (this.#failedWindows <= MOST_TOLD) this.#say(`failed window: ${of}${event.error}`, 'failure')
      else if (this.#failedWindows === MOST_TOLD + 1) this.#say('more windows have failed, which are counted below and not told one by one', 'failure')
    }
  }

  end(): void {
    for (const stream of this.streams) stream.end(performance.now())
  }
}
