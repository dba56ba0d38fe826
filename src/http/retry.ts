import pRetry from 'p-retry'
import { HttpError } from '../model/errors.ts'
import { TransientError } from './request-error.ts'
import type { Time } from './limits/time.ts'

const FIRST_BACKOFF_MS = 1_000
const MAX_BACKOFF_MS = 60_000

export interface RetryOptions {
  readonly attempts: number
  readonly time: Time
  readonly onRetry: (retry: {
    readonly attempt: number
    readonly reason: string
    readonly waitMs: number
    readonly retryAfter: boolean
  }) => void
  readonly signal: AbortSignal
}

/**
 * Try until it succeeds, fails for good, or was tried often enough; waits grow twofold, and no shorter than the API
 * asks for.
 */
export async function withRetry<T>(
  work: () => Promise<T>,
  { attempts, time, onRetry, signal }: RetryOptions,
): Promise<T> {
  let tried = 0
  const attempt = (): Promise<T> => {
    tried += 1
    return work()
  }
  try {
    return await pRetry(attempt, {
      retries: attempts - 1,
      // The wait is below: p-retry knows no Retry-After, and would draw its jitter beside it.
      minTimeout: 0,
      signal,
      shouldRetry: async ({ error, attemptNumber }) => {
        if (!(error instanceof TransientError)) return false
        const { message: reason, retryAfterMs = 0 } = error
        const waitMs = Math.max(backoff(attemptNumber), retryAfterMs)
        onRetry({ attempt: attemptNumber, reason, waitMs, retryAfter: waitMs === retryAfterMs })
        await time.sleep(waitMs, { signal })
        return true
      },
    })
  } catch (error) {
    if (error instanceof HttpError && error.kind !== 'not sent') error.attempts = tried
    if (!(error instanceof TransientError)) throw error
    const { message, status, location, cause } = error
    throw new HttpError(`${message}, gave up after ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`, {
      kind: 'unavailable',
      attempts,
      status,
      location,
      cause,
    })
  }
}

/** 1, 2, 4, 8 … seconds, half less or half more by chance, so that many callers do not come back at once. */
function backoff(attempt: number): number {
  return Math.round(Math.min(FIRST_BACKOFF_MS * 2 ** (attempt - 1), MAX_BACKOFF_MS) * (0.5 + Math.random()))
}
