/**
 * Hears a signal for as long as it is held; disposing it leaves no listener behind. A signal that has aborted is heard
 * at once.
 */
export function onAbort(signal: AbortSignal | undefined, hear: (reason: unknown) => void): Disposable {
  const heard = (): void => hear(signal?.reason)
  if (signal?.aborted) heard()
  else signal?.addEventListener('abort', heard, { once: true })
  return { [Symbol.dispose]: () => signal?.removeEventListener('abort', heard) }
}
