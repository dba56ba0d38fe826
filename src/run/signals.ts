/**
 * Two signals of one run. `readSignal` aborts when the run is asked to stop. `writeSignal` aborts 4 s later, so that
 * complete batches can still be committed.
 */
export interface RunSignals extends Disposable {
  readonly readSignal: AbortSignal
  readonly writeSignal: AbortSignal
}

/** Time for the last commits after the run was asked to stop. A run ends within 5 s. */
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
    readSignal: reading.signal,
    writeSignal: writing.signal,
    [Symbol.dispose]() {
      signal?.removeEventListener('abort', stop)
      clearTimeout(timer)
    },
  }
}
