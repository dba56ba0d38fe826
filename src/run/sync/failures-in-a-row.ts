import { LoadError } from '../../model/errors.ts'
import { problemText } from '../report/problem-text.ts'
import type { StreamContext } from '../stream-context.ts'

/** Windows or ranges that may fail one after the other. The cause is then not their own: the others would fail too. */
const MAX_FAILURES_IN_A_ROW = 10

/** Throws once too many windows or ranges have failed with none in between that did not. */
export class FailuresInARow {
  readonly #stream: StreamContext
  readonly #noun: 'window' | 'range'
  #count = 0

  constructor(stream: StreamContext, noun: 'window' | 'range') {
    this.#stream = stream
    this.#noun = noun
  }

  /** Records the end of one that begins at `lower`. `error` is undefined if it did not fail. */
  note(error: unknown, lower: string): void {
    const { run, stream, streamName } = this.#stream
    this.#count = error === undefined ? 0 : this.#count + 1
    if (error !== undefined) run.context.onStreamError?.(stream, error)
    if (this.#count < MAX_FAILURES_IN_A_ROW) return
    const again = this.#noun === 'window' ? 'start the same backfill again' : 'run again'
    throw new LoadError(
      `${MAX_FAILURES_IN_A_ROW} ${this.#noun}s failed one after the other, ` +
        `the last one with: ${problemText(error, `${streamName}, ${this.#noun} ${lower}`)}. ` +
        `The others were not read: correct the cause, then ${again}`,
      { cause: error },
    )
  }
}
