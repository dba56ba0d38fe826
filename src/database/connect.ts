import pRetry from 'p-retry'
import { DatabaseError } from '../model/errors.ts'
import type { RunEvent } from '../model/event.ts'
import { durationText } from '../value/duration.ts'
import { isConnectionFault, sqlState } from './errors.ts'

export interface ConnectOptions {
  readonly place: string
  /** Milliseconds after which no further attempt begins. */
  readonly patienceMs: number
  readonly emit?: ((event: RunEvent) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/** Try to connect until it succeeds, with growing pauses while the server is not there yet, is starting, or is full. */
export async function connecting<T>(
  connect: () => Promise<T>,
  { place, patienceMs, emit, signal }: ConnectOptions,
): Promise<T> {
  // p-retry looks at the class of what is thrown, by which it misjudges errors of the system in places; wrapped, all
  // are alike to it.
  const attempt = async (): Promise<T> => {
    try {
      return await connect()
    } catch (cause) {
      throw new FailedAttempt('', { cause })
    }
  }
  try {
    return await pRetry(attempt, {
      retries: Number.POSITIVE_INFINITY,
      minTimeout: 100,
      factor: 1.7,
      maxTimeout: 2_000,
      randomize: true,
      maxRetryTime: patienceMs,
      shouldRetry: ({ error }) => isWorthWaiting(error.cause),
      onFailedAttempt: ({ error: { cause }, attemptNumber }) => {
        if (attemptNumber === 1 && isWorthWaiting(cause))
          emit?.({
            type: 'warning',
            message: `${place}: ${faultOf(cause)}; trying again for ${durationText(patienceMs)}`,
          })
      },
      ...(signal && { signal }),
    })
  } catch (error) {
    if (signal?.aborted) throw signal.reason
    const cause = error instanceof FailedAttempt ? error.cause : error
    const waited = isWorthWaiting(cause) ? ` for ${durationText(patienceMs)}` : ''
    throw new DatabaseError(`${place}: ${faultOf(cause)}${waited}; ${remedyOf(cause)}`, { cause })
  }
}

class FailedAttempt extends Error {}

function isWorthWaiting(error: unknown): boolean {
  return isConnectionFault(error) || sqlState(error) === '53300'
}

function faultOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string }
  if (code === 'ECONNREFUSED') return 'nobody answers there (connection refused)'
  if (code === 'ENOTFOUND') return 'the host is not known'
  return message || code || String(error)
}

const remedies: Readonly<Record<string, string>> = {
  '28P01': 'correct user and password in DATABASE_URL',
  '28000': 'correct the user in DATABASE_URL, or let it in by pg_hba.conf',
  '3D000': 'create the database, or correct its name in DATABASE_URL',
  '53300': 'raise max_connections, or let fewer programs connect',
}

function remedyOf(error: unknown): string {
  return remedies[sqlState(error) ?? ''] ?? 'start PostgreSQL there, or correct DATABASE_URL'
}
