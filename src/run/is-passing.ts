import { isConnectionError, sqlState } from '../database/errors.ts'
import { DatabaseError } from '../model/errors.ts'

/** True for errors that may pass: the server is down, full or slow. False for SQLSTATE class 42, a wrong statement. */
export const isPassing = (error: unknown): boolean =>
  isConnectionError(error) || error instanceof DatabaseError || sqlState(error)?.startsWith('42') === false
