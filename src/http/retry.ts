import pRetry from 'p-retry'
import { HttpError } from '../model/errors.ts'
import type { Time } from './limits/time.ts'
import { TransientError } from './request-error.ts'

const FIRST_BACKOFF_MS = 1_000
const MAX_BACKOFF_MS = 60_000

export interface Retry {
  /** The attempt that failed, counted from 1. */
  readonly attempt: number
  readonly reason: string
  readonly waitMs: number
  /** The API asked for this wait by `Retry-After`. */
  readonly isRetryAfter: boolean
}

export interface RetryOptions {
  /** Tries in all, including the first. */
  readonly attempts: number
  readonly sleep: Time['sleep']
  /** Called before each wait. */
  readonly onRetry: (retry: Retry) => void
  readonly signal: AbortSignal
}

/**
 * Calls `work` until it succeeds, fails with anything but a `TransientError`, or has been tried `attempts` times. The
 * waits double from 1 s to 60 s, with 50 % of jitter, and are never shorter than `Retry-After`.
 */
export async function withRetry<T>(
  work: () => Promise<T>,
  { attempts, sleep, onRetry, signal }: RetryOptions,
): Promise<T> {
  let tried = 0
  const attempt = (): Promise<T> => {
    tried += 1
    return work()
  }
  try {
    return await pRetry(attempt, {
      retries: attempts - 1,
      // p-retry does not wait itself: it ignores Retry-After.
      minTimeout: 0,
      signal,
      shouldRetry: async ({ error, attemptNumber }) => {
        if (!(error instanceof TransientError)) return false
        const { message: reason, retryAfterMs = 0 } = error
        const waitMs = Math.max(backoffMs(attemptNumber), retryAfterMs)
        onRetry({ attempt: attemptNumber, reason, waitMs, isRetryAfter: waitMs === retryAfterMs })
        await sleep(waitMs, { signal })
        return true
      },
    })
  } catch (error) {
    if (error instanceof HttpError && error.kind !== 'not sent') error.attempts = tried
    if (!(error instanceof TransientError)) throw error
    const { message, status, location, cause, final } = error
    if (final) throw final
    throw new HttpError(`${message}, gave up after ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`, {
      kind: 'unavailable',
      attempts,
      status,
      location,
      cause,
    })
  }
}

/** Returns the wait after an attempt. The jitter keeps many clients from coming back at the same moment. */
function backoffMs(attempt: number): number {
  return Math.round(Math.min(FIRST_BACKOFF_MS * 2 ** (attempt - 1), MAX_BACKOFF_MS) * (0.5 + Math.random()))
}
