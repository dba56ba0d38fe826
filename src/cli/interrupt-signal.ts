import { writeSync } from 'node:fs'
import { CancelledError } from '../model/errors.ts'

/** What is whole is committed by then, or will not be. */
const patienceMs = 4_800

/**
 * SIGINT and SIGTERM as one signal: the first asks to end, with what is whole committed; the second, or five seconds,
 * ends at once.
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
        `sluice: it did not end within 5 s of ${name}, so it was ended; the next run goes on from what was committed\n`,
      )
      process.exit(130)
    }, patienceMs)
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
