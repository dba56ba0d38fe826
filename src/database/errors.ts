// Classifies errors of the database: retry, reject a row, read the table again, or stop.
import { DatabaseError, SluiceError } from '../model/errors.ts'
import { defineErrorName } from '../value/error.ts'

/** The connection was lost, and the result of the statement is unknown. Has SQLSTATE 08006, as the server would. */
export class ConnectionLostError extends Error {
  static {
    defineErrorName(this)
  }
  readonly code = '08006'
}

const SOCKET_ERROR_CODES = new Set([
  'ECONNRESET',
  'EPIPE',
  'ECONNREFUSED',
  'ECONNABORTED',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
])
const DRIVER_CONNECTION_ERRORS =
  /^(Connection terminated|Client has encountered a connection error|Client was closed|timeout expired)/

/** Returns the SQLSTATE of an error or of one of its causes. */
export function sqlState(error: unknown): string | undefined {
  for (const one of causes(error)) {
    const state = ownState(one)
    if (state) return state
  }
  return undefined
}

/** Returns true if the statement may succeed when it is repeated, after checking that it did not take effect. */
export function isTransient(error: unknown): boolean {
  for (const one of causes(error)) {
    // Connecting was already retried until its time limit.
    if (one instanceof DatabaseError) return false
    if (isConnectionError(one)) return true
    const state = ownState(one)
    if (state) return state === '40001' || state === '40P01'
  }
  return false
}

/**
 * Returns true if one row could not be stored and others may be: SQLSTATE classes 22 and 23, a size limit (54000), or
 * an exception of a trigger (P0001).
 */
export function isRowError(error: unknown): boolean {
  const state = sqlState(error)
  return (
    state !== undefined && (state.startsWith('22') || state.startsWith('23') || state === '54000' || state === 'P0001')
  )
}

/**
 * Returns true if the table has changed since its columns were read: SQLSTATE class 42. A missing permission (42501)
 * has the same class, but reading the columns again does not help.
 */
export function isTableChanged(error: unknown): boolean {
  const state = sqlState(error)
  return state !== undefined && state.startsWith('42') && state !== '42501'
}

/** Returns true if the connection or the server was lost. Statements sent over it may have taken effect or not. */
export function isConnectionError(error: unknown): boolean {
  if (!Error.isError(error)) return false
  const { code } = error as { code?: unknown }
  if (typeof code === 'string') {
    if (SOCKET_ERROR_CODES.has(code) || code.startsWith('08')) return true
    if (code === '57P01' || code === '57P02' || code === '57P03') return true
  }
  return DRIVER_CONNECTION_ERRORS.test(error.message)
}

function* causes(error: unknown): Generator<Error> {
  const seen = new Set<unknown>()
  for (let one = error; Error.isError(one) && !seen.has(one); one = one.cause) {
    seen.add(one)
    yield one
  }
}

function ownState(error: Error): string | undefined {
  // Their codes, such as USAGE, are not those of the database.
  if (error instanceof SluiceError) return undefined
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && !isSystemCode(error) ? code : undefined
}

/** `EPIPE` has five letters like a SQLSTATE, but an `errno` too. */
function isSystemCode(error: Error): boolean {
  return 'errno' in error || 'syscall' in error
}
