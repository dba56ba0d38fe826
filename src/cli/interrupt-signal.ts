import { writeSync } from 'node:fs'
import { CancelledError } from '../model/errors.ts'

/** Milliseconds that a command has to commit complete batches; it has ended within 5 s. */
const GRACE_PERIOD_MS = 4_800

/**
 * Turns SIGINT and SIGTERM into an abort signal, so that the command can commit complete batches. A second signal, or
 * the end of 5 seconds, exits the process at once.
 */
export function interruptSignal(): { readonly signal: AbortSignal } & Disposable {
  const controller = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const onSignal = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) process.exit(130)
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
    [Symbol.dispose]() {
      clearTimeout(timer)
      process.off('SIGINT', onSignal)
      process.off('SIGTERM', onSignal)
    },
  }
}
