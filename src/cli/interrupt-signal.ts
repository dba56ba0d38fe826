import { writeSync } from 'node:fs'
import { CancelledError } from '../model/errors.ts'

/** Milliseconds that a command has to commit complete batches; it has ended within 5 s. */
const GRACE_PERIOD_MS = 4_800
/** What is bounded by the time that is left ends this long before it: an open handle keeps the process for 1 s more. */
const MARGIN_MS = 1_200

export interface InterruptSignal extends Disposable {
  readonly signal: AbortSignal
  /** Returns the milliseconds that are left of this time: less than it after a signal. */
  readonly timeLeft: (ms: number) => number
}

/**
 * Turns SIGINT and SIGTERM into an abort signal, so that the command can commit complete batches. A second signal, or
 * the end of 5 seconds, exits the process at once.
 */
export function interruptSignal(): InterruptSignal {
  let abortedAt = Infinity
  const controller = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const onSignal = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) process.exit(130)
    abortedAt = performance.now()
    controller.abort(new CancelledError(`stopped by ${name}`))
    timer = setTimeout(() => {
      writeSync(
        2,
        `sluice: the command did not end within 5 s of ${name} and was stopped; ` +
          'the next run continues from the last commit\n',
      )
      process.exit(130)
    }, GRACE_PERIOD_MS)
    timer.unref()
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return {
    signal: controller.signal,
    timeLeft: (ms) => Math.max(0, Math.min(ms, abortedAt + GRACE_PERIOD_MS - MARGIN_MS - performance.now())),
    [Symbol.dispose]() {
      clearTimeout(timer)
      process.off('SIGINT', onSignal)
      process.off('SIGTERM', onSignal)
    },
  }
}
