import { isConnectionError, sqlState } from '../../database/errors.ts'
import { ERROR_CODES, type ErrorCode } from '../../model/error-code.ts'
import { SluiceError } from '../../model/errors.ts'

/** Returns the code of an error that `sluice explain` knows. */
export function errorCode(error: unknown): ErrorCode {
  if (error instanceof SluiceError) {
    const known = ERROR_CODES.find((code) => code === error.explanation)
    // The remedy depends on the database's own error.
    if (known === 'DATABASE' || known === 'SCHEMA') return codeOfDatabase(error.cause) ?? known
    // An error that only adds the stream to another one.
    if (known === 'USAGE' && error.cause instanceof SluiceError) return errorCode(error.cause)
    return known ?? 'THROWN'
  }
  return codeOfDatabase(error) ?? 'THROWN'
}

function codeOfDatabase(error: unknown): ErrorCode | undefined {
  const state = sqlState(error)
  if (state === undefined) return isConnectionError(error) || isUnknownHost(error) ? 'DATABASE_DOWN' : undefined
  return CODES_BY_STATE[state] ?? CODES_BY_CLASS[state.slice(0, 2)] ?? 'DATABASE_SQL'
}

const isUnknownHost = (error: unknown): boolean => Error.isError(error) && 'code' in error && error.code === 'ENOTFOUND'

const CODES_BY_STATE: Readonly<Record<string, ErrorCode>> = {
  '42501': 'DATABASE_RIGHTS',
  '3D000': 'DATABASE_LOGIN',
  '25006': 'DATABASE',
  '57014': 'DATABASE_SQL',
}
/** By the first two characters of an SQLSTATE. */
const CODES_BY_CLASS: Readonly<Record<string, ErrorCode>> = {
  '08': 'DATABASE_DOWN',
  '28': 'DATABASE_LOGIN',
  '53': 'DATABASE_FULL',
  '57': 'DATABASE_DOWN',
}
