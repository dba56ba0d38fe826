/**
 * Two signals of one run: `reading` aborts when it is asked to stop; `writing` some seconds later, so that what is
 * whole can be committed.
 */
export interface RunSignals extends Disposable {
  readonly reading: AbortSignal
  readonly writing: AbortSignal
}

/** How long a commit may go on after the run was asked to stop. A run ends within 5 s. */
const GRACE_PERIOD_MS = 4_000

export function runSignals(signal: AbortSignal | undefined): RunSignals {
  const reading = new AbortController()
  const writing = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const stop = (): void => {
    reading.abort(signal?.reason)
    timer = setTimeout(() => writing.abort(signal?.reason), GRACE_PERIOD_MS)
    timer.unref()
  }
  if (signal?.aborted) stop()
  else signal?.addEventListener('abort', stop, { once: true })
  return {
    reading: reading.signal,
    writing: writing.signal,
    [Symbol.dispose]() {
      signal?.removeEventListener('abort', stop)
      clearTimeout(timer)
    },
  }
}
