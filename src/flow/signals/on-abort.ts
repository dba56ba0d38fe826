/**
 * Calls a listener with the reason when a signal aborts, at once if it already has. Disposing the result removes the
 * listener.
 */
export function onAbort(signal: AbortSignal | undefined, listener: (reason: unknown) => void): Disposable {
  const aborted = (): void => listener(signal?.reason)
  if (signal?.aborted) aborted()
  else signal?.addEventListener('abort', aborted, { once: true })
  return { [Symbol.dispose]: () => signal?.removeEventListener('abort', aborted) }
}
