import pRetry from 'p-retry'
import { DatabaseError } from '../../model/errors.ts'
import { certificateProblem } from '../../observe/certificate-problem.ts'
import { durationText } from '../../value/duration.ts'
import { defineErrorName, messageOf } from '../../value/error.ts'
import { isConnectionError, sqlState } from '../errors.ts'
import { defined } from '../../value/defined.ts'
import { waitNotice } from './waits.ts'

export interface ConnectOptions {
  /** Names the database in messages. */
  readonly label: string
  /** Milliseconds after which no further attempt starts. */
  readonly timeoutMs: number
  /** Milliseconds without a connection after which `onDatabaseWait` is told. @default 3_000 */
  readonly noticeMs?: number
  /** False if a missing connection is no sign of a silent server, such as while all are in use. @default always true */
  readonly isServerAsked?: () => boolean
  readonly signal?: AbortSignal | undefined
}

/** Repeats `connect` with growing pauses while the server is unreachable, is starting, or has no free connection. */
export async function connectWithRetry<T>(
  connect: () => Promise<T>,
  { label, timeoutMs, noticeMs = 3_000, isServerAsked = () => true, signal }: ConnectOptions,
): Promise<T> {
  let problem: string | undefined
  using notice = waitNotice({
    label,
    timeoutMs,
    noticeMs,
    problem: () => problem ?? (isServerAsked() ? 'the server does not answer' : undefined),
  })
  // p-retry decides by the class of an error, and misjudges some of the system's. A wrapper makes all alike to it.
  const attempt = async (): Promise<T> => {
    try {
      return await connect()
    } catch (cause) {
      throw new ConnectAttemptError('', { cause })
    }
  }
  try {
    const connected = await pRetry(attempt, {
      retries: Number.POSITIVE_INFINITY,
      minTimeout: 100,
      factor: 1.7,
      maxTimeout: 2_000,
      randomize: true,
      maxRetryTime: timeoutMs,
      shouldRetry: ({ error }) => isRetryable(error.cause),
      onFailedAttempt: ({ error: { cause } }) => {
        problem = problemOf(cause)
      },
      ...defined({ signal }),
    })
    notice.reached()
    return connected
  } catch (error) {
    if (signal?.aborted) throw signal.reason
    const cause = error instanceof ConnectAttemptError ? error.cause : error
    const waited = isRetryable(cause) ? ` for ${durationText(timeoutMs)}` : ''
    throw new DatabaseError(`${label}: ${problemOf(cause)}${waited}; ${remedyOf(cause)}`, {
      cause,
      ...(isWithoutPassword(cause) && { explanation: 'DATABASE_LOGIN' }),
    })
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
  const certificate = certificateProblem(error)
  if (certificate) return `the server's certificate is ${certificate} (${messageOf(error)})`
  const code = codeOf(error)
  if (code === 'ECONNREFUSED') return 'no server listens there (connection refused)'
  if (code === 'ENOTFOUND') return 'the host is unknown'
  if (isWithoutPassword(error)) return 'the server asks for a password, and the address has none'
  return messageOf(error) || code || String(error)
}

/** The driver's error for a server that asks for a password which neither the address nor PGPASSWORD has. */
const isWithoutPassword = (error: unknown): boolean => /client password must be a string/.test(messageOf(error))

const REMEDIES: Readonly<Record<string, string>> = {
  '28P01': 'correct user and password in DATABASE_URL',
  '28000': 'correct the user in DATABASE_URL, or allow the user in pg_hba.conf',
  '3D000': 'create the database, or correct its name in DATABASE_URL',
  '53300': 'raise max_connections, or let fewer programs connect',
}

const CERTIFICATE_REMEDIES = {
  'not trusted':
    'name the file of the authority that signed it, by sslrootcert=FILE in DATABASE_URL or by NODE_EXTRA_CA_CERTS, ' +
    'or set sslmode=no-verify to connect without checking it',
  expired: 'renew it on the server, or set sslmode=no-verify in DATABASE_URL to connect without checking it',
  'not yet valid': 'set the clock of this machine and of the server',
  'for another host':
    'use a host in DATABASE_URL that the certificate names, or add ' +
    'sslmode=verify-ca&uselibpqcompat=true&sslrootcert=FILE',
}

function remedyOf(error: unknown): string {
  const certificate = certificateProblem(error)
  if (certificate) return CERTIFICATE_REMEDIES[certificate]
  if (messageOf(error) === 'The server does not support SSL connections')
    return 'turn ssl on in postgresql.conf, or set sslmode=disable in DATABASE_URL'
  if (isWithoutPassword(error)) return 'add it to DATABASE_URL: postgres://user:password@host:5432/name'
  return REMEDIES[sqlState(error) ?? ''] ?? 'start PostgreSQL there, or correct DATABASE_URL'
}

function codeOf(error: unknown): string | undefined {
  return Error.isError(error) && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
