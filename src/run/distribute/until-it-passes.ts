import { sleep } from '../../flow/signals/sleep.ts'
import { isPassing } from '../is-passing.ts'

export interface UntilItPassesOptions {
  /** Called with each error that may pass. */
  readonly onError?: (error: unknown) => void
  readonly signal: AbortSignal
}

/** Repeats `work` as long as it fails by an error of the database that may pass, after 0.5 s, 1 s, … 30 s. */
export async function untilItPasses<Result>(
  work: () => Promise<Result>,
  { onError, signal }: UntilItPassesOptions,
): Promise<Result> {
  for (let failures = 0; ; failures += 1) {
    signal.throwIfAborted()
    try {
      return await work()
    } catch (error) {
      signal.throwIfAborted()
      if (!isPassing(error)) throw error
      onError?.(error)
      await sleep(Math.min(30_000, 500 * 2 ** failures), { signal })
    }
  }
}
