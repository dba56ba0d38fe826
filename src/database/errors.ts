// What an error of the database means for those who may try again, reject a row, or have to stop.
import { DatabaseError } from '../model/errors.ts'
import { defineErrorName } from '../value/error.ts'

/** The connection is gone and what became of the statement is not known: SQLSTATE 08006, though no server said so. */
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

/** The five characters by which PostgreSQL says what happened, of the error or of what caused it. */
export function sqlState(error: unknown): string | undefined {
  for (const one of causes(error)) {
    const state = ownState(one)
    if (state) return state
  }
  return undefined
}

/** The same may succeed when it is sent again, once it is known that it did not succeed the first time. */
export function isTransient(error: unknown): boolean {
  for (const one of causes(error)) {
    // We have already tried for a while.
    if (one instanceof DatabaseError) return false
    if (isConnectionError(one)) return true
    const state = ownState(one)
    if (state) return state === '40001' || state === '40P01'
  }
  return false
}

/**
 * A row could not be stored, and the others may well be: classes 22 and 23, a limit of size, or a trigger that raised.
 */
export function isRowError(error: unknown): boolean {
  const state = sqlState(error)
  return (
    state !== undefined && (state.startsWith('22') || state.startsWith('23') || state === '54000' || state === 'P0001')
  )
}

/**
 * The table is not what it was when its columns were read. A right that is missing (42501) is of the same class, but no
 * reading brings it back.
 */
export function isTableChanged(error: unknown): boolean {
  const state = sqlState(error)
  return state !== undefined && state.startsWith('42') && state !== '42501'
}

/** The connection is gone, or the server is: what was sent over it may or may not have happened. */
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
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && !isSystemCode(error) ? code : undefined
}

/** `EPIPE` has five letters too, but comes with an `errno`. */
function isSystemCode(error: Error): boolean {
  return 'errno' in error || 'syscall' in error
}
