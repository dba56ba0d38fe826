import { createInterface } from 'node:readline/promises'
import { CancelledError, UsageError } from '../../model/errors.ts'

export interface Question<T> {
  readonly text: string
  /** Taken if the line is empty. */
  readonly suggestion: string
  /** Throws a UsageError for an answer that cannot be used. The question is then asked again. */
  readonly parse: (answer: string) => T
}

/** Asks questions on a terminal. Ctrl-C and Ctrl-D cancel them. */
export interface Asker extends Disposable {
  readonly ask: <T>(question: Question<T>) => Promise<T>
}

/** Opens the questions of a command on stdin and stdout. */
export function openAsker(signal: AbortSignal): Asker {
  const lines = createInterface({ input: process.stdin, output: process.stdout })
  const stop = new AbortController()
  // A terminal in raw mode sends no signal for Ctrl-C.
  const cancel = (): void => stop.abort(new CancelledError('cancelled; nothing was written'))
  lines.on('SIGINT', cancel)
  lines.on('close', cancel)
  const either = AbortSignal.any([signal, stop.signal])
  return {
    async ask({ text, suggestion, parse }) {
      for (;;) {
        const answer = await lines.question(`${text} (${suggestion}): `, { signal: either }).catch((error: unknown) => {
          either.throwIfAborted()
          throw error
        })
        try {
          return parse(answer.trim() || suggestion)
        } catch (error) {
          if (!(error instanceof UsageError)) throw error
          console.log(`  ${error.message}`)
        }
      }
    },
    [Symbol.dispose]: () => {
      lines.off('close', cancel)
      lines.close()
    },
  }
}
