import pRetry from 'p-retry'
import { DatabaseError } from '../model/errors.ts'
import type { RunEvent } from '../model/event.ts'
import { defineErrorName } from '../value/error.ts'
import { durationText } from '../value/duration.ts'
import { isConnectionError, sqlState } from './errors.ts'

export interface ConnectOptions {
  readonly label: string
  /** Milliseconds after which no further attempt begins. */
  readonly timeoutMs: number
  readonly emit?: ((event: RunEvent) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/** Try to connect until it succeeds, with growing pauses while the server is not there yet, is starting, or is full. */
export async function connectWithRetry<T>(
  connect: () => Promise<T>,
  { label, timeoutMs, emit, signal }: ConnectOptions,
): Promise<T> {
  // p-retry looks at the class of what is thrown, by which it misjudges errors of the system in places; wrapped, all
  // are alike to it.
  const attempt = async (): Promise<T> => {
    try {
      return await connect()
    } catch (cause) {
      throw new ConnectAttemptError('', { cause })
    }
  }
  try {
    return await pRetry(attempt, {
      retries: Number.POSITIVE_INFINITY,
      minTimeout: 100,
      factor: 1.7,
      maxTimeout: 2_000,
      randomize: true,
      maxRetryTime: timeoutMs,
      shouldRetry: ({ error }) => isRetryable(error.cause),
      onFailedAttempt: ({ error: { cause }, attemptNumber }) => {
        if (attemptNumber === 1 && isRetryable(cause))
          emit?.({
            type: 'warning',
            message: `${label}: ${problemOf(cause)}; trying again for ${durationText(timeoutMs)}`,
          })
      },
      ...(signal && { signal }),
    })
  } catch (error) {
    if (signal?.aborted) throw signal.reason
    const cause = error instanceof ConnectAttemptError ? error.cause : error
    const waited = isRetryable(cause) ? ` for ${durationText(timeoutMs)}` : ''
    throw new DatabaseError(`${label}: ${problemOf(cause)}${waited}; ${remedyOf(cause)}`, { cause })
  }
}

class ConnectAttemptError extends Error {
  static {
    defineErrorName(this)
  }
}

function isRetryable(error: unknown): boolean {
  return isConnectionError(error) || sqlState(error) === '53300'
}

function problemOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string }
  if (code === 'ECONNREFUSED') return 'nobody answers there (connection refused)'
  if (code === 'ENOTFOUND') return 'the host is not known'
  return message || code || String(error)
}

const REMEDIES: Readonly<Record<string, string>> = {
  '28P01': 'correct user and password in DATABASE_URL',
  '28000': 'correct the user in DATABASE_URL, or let it in by pg_hba.conf',
  '3D000': 'create the database, or correct its name in DATABASE_URL',
  '53300': 'raise max_connections, or let fewer programs connect',
}

function remedyOf(error: unknown): string {
  return REMEDIES[sqlState(error) ?? ''] ?? 'start PostgreSQL there, or correct DATABASE_URL'
}
