import { grantCommand } from '../../database/creation-right.ts'
import { isConnectionError, sqlState } from '../../database/errors.ts'
import { variableOfBase } from '../../model/base-variables.ts'
import { HttpError, SluiceError, UsageError } from '../../model/errors.ts'
import { placeOf, placeText } from '../../observe/user-place.ts'
import { errorCode } from './error-code.ts'

/**
 * Returns an error as one message with its location, problem and remedy. Errors of Sluice have all three. Those of the
 * database driver and of a user's functions get the location and a remedy. The line of the user's file that has thrown
 * an error is named. The code in brackets at the end is that of `sluice explain`.
 */
export function problemText(error: unknown, location: string): string {
  const place = placeOf(error)
  const where = place && placeText(place, process.cwd())
  const text = textOf(error, location, where)
  const code = errorCode(error)
  // USAGE says no more than the message.
  return `${placed(text, where, error)}${code === 'USAGE' ? '' : ` [${code}]`}`
}

function placed(text: string, where: string | undefined, error: unknown): string {
  if (where === undefined || text.includes(where)) return text
  return error instanceof UsageError ? `${where}: ${text}` : `${text} (${where})`
}

function textOf(error: unknown, location: string, where: string | undefined): string {
  if (error instanceof HttpError) return `${error.message}${httpRemedy(error)}`
  if (error instanceof SluiceError) return error.message
  if (!(error instanceof Error)) return `${location}: ${String(error)} was thrown, which is not an error; ${VERBOSE}`
  const state = sqlState(error)
  if (state !== undefined)
    return `${location}: ${withDetail(error)} (SQLSTATE ${state}); ${sqlRemedy(state, error.message)}`
  if (isConnectionError(error)) return `${location}: ${error.message}; check that the server is up, ${THEN_RUN_AGAIN}`
  const name = error.name === 'Error' ? '' : `${error.name}: `
  return `${location}: ${name}${error.message}; ${where === undefined ? VERBOSE : `see ${where}`}`
}

const VERBOSE = 'run with --verbose to see where it was thrown'
const THEN_RUN_AGAIN = 'then run again: it resumes after the last commit'

/** Returns the remedy for a failed request in a run. The HTTP layer knows nothing of runs. */
function httpRemedy({ kind, status, location, cause }: HttpError): string {
  if (kind === 'unavailable' && isUnreachable(cause)) {
    const variable = variableOfBase(cause)
    const named = variable === undefined ? '' : ` (the variable ${variable} may set it)`
    return `; check the base URL of the API${named}, and that the API is up, ${THEN_RUN_AGAIN}`
  }
  if (kind === 'unavailable') return `; check that the API is up, or raise its timeout and attempts, ${THEN_RUN_AGAIN}`
  if (kind !== 'status') return ''
  // Only requests for credentials are named by their whole URL.
  if (/^\w+ https?:/.test(location ?? '')) return '; check this URL in the auth of the API, and what it expects'
  if (status === 404) return '; check the path, or set { emptyOn: [404] } if it means that there is nothing'
  return status >= 400 && status <= 499 ? '; check the path and what the API expects in the request' : ''
}

/** True if no server was found at the address. */
const isUnreachable = (cause: unknown): boolean =>
  Error.isError(cause) && 'code' in cause && (cause.code === 'ECONNREFUSED' || cause.code === 'ENOTFOUND')

function withDetail({ message, ...more }: Error & { readonly detail?: unknown }): string {
  return typeof more.detail === 'string' && more.detail !== '' ? `${message} (${more.detail})` : message
}

/** Remedies by SQLSTATE, and by its first two characters. */
const SQL_REMEDIES: Readonly<Record<string, string>> = {
  '08': `check that the server is up, ${THEN_RUN_AGAIN}`,
  '22': 'check the rows that the message names',
  '23': 'check the constraint that the message names',
  '25006': 'set DATABASE_URL to a server, a database and a user that may write',
  '28': 'correct user and password in DATABASE_URL',
  '42': 'check what has changed in the table, then run again',
  '42501': `grant this right to the user of DATABASE_URL as the owner, ${THEN_RUN_AGAIN}`,
  '53100': `free space on the disk of the database, ${THEN_RUN_AGAIN}`,
  '53200': 'give the database server more memory, then run again',
  '53300': 'raise max_connections, or connect with fewer programs, then run again',
  '53400': 'raise the limit of the database server that the message names, then run again',
  '55P03': 'end the session that holds the lock (see pg_locks), then run again',
  '57': `start the database server again, ${THEN_RUN_AGAIN}`,
  '57014': 'check what delayed the database (locks, a slow disk), then run again',
  '58': 'check the log of the database server, then run again',
  XX: 'check the log of the database server',
}

function sqlRemedy(state: string, message: string): string {
  // The rights that a run needs in a schema are many, so one command grants them.
  const [, kind, name] = state === '42501' ? (/^permission denied for (database|schema) (.+)$/.exec(message) ?? []) : []
  if (name !== undefined)
    return (
      `let an administrator run: ${grantCommand('USER', kind === 'schema' ? [name] : [])}, ` +
      `USER being that of DATABASE_URL; ${THEN_RUN_AGAIN}`
    )
  return remedyOfState(state)
}

const remedyOfState = (state: string): string =>
  SQL_REMEDIES[state] ?? SQL_REMEDIES[state.slice(0, 2)] ?? 'run with --verbose to see the statement'
