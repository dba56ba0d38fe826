import { isConnectionError, sqlState } from '../../database/errors.ts'
import { HttpError, RateLimitedError, SluiceError } from '../../model/errors.ts'

/**
 * An error as one message: place, fault and remedy. What we say ourselves says all three; what the driver or a user's
 * function says is completed.
 */
export function problemText(error: unknown, place: string): string {
  if (error instanceof HttpError) return error.message + httpRemedy(error)
  if (error instanceof SluiceError) return error.message
  if (!(error instanceof Error)) return `${place}: ${String(error)} was thrown, which is no error; ${elsewhere}`
  const state = sqlState(error)
  if (state !== undefined) return `${place}: ${sentence(error)} (SQLSTATE ${state}); ${remedyOf(state)}`
  if (isConnectionError(error))
    return `${place}: ${error.message}; look whether the server is up, then run again: it goes on from what was committed`
  const name = error.name === 'Error' ? '' : `${error.name}: `
  return `${place}: ${name}${error.message}; ${elsewhere}`
}

/** What the place of a request cannot know: that there is a run to be repeated. */
function httpRemedy(error: HttpError): string {
  if (error instanceof RateLimitedError) return ''
  if (error.message.includes(', gave up after '))
    return '; look whether the API is up, or allow for more by its timeout and attempts, then run again: it goes on from what was committed'
  if (error.status === 404)
    return '; look at the path, or say { emptyOn: [404] } where that means that there is nothing'
  return / answered 4\d\d$/.test(error.message) ? '; look at the path, and at what the API wants to be sent' : ''
}

const elsewhere = 'run with --verbose to see where it was thrown'

function sentence({ message, ...more }: Error & { readonly detail?: unknown }): string {
  return typeof more.detail === 'string' && more.detail !== '' ? `${message} (${more.detail})` : message
}

const remedies: Readonly<Record<string, string>> = {
  '25006': 'set DATABASE_URL to a server, a database and a user that may write',
  '42501':
    'let the owner grant this right to the user of DATABASE_URL, then run again: it goes on from what was committed',
  '53100': 'make room on the disk of the database, then run again: it goes on from what was committed',
  '53200': 'give the database server more memory, then run again',
  '53300': 'raise max_connections, or let fewer programs connect, then run again',
  '53400': 'raise the limit of the database server that the message names, then run again',
  '55P03': 'end the session that holds the lock (see pg_locks), then run again',
  '57014': 'look for what held the database up (locks, a slow disk), then run again',
}
const families: Readonly<Record<string, string>> = {
  '08': 'look whether the server is up, then run again: it goes on from what was committed',
  '22': 'look at the rows that the message names',
  '23': 'look at the constraint that the message names',
  '28': 'correct user and password in DATABASE_URL',
  '42': 'look at what has changed in the table, then run again',
  '57': 'start the database server again, then run again: it goes on from what was committed',
  '58': 'look at the log of the database server, then run again',
  XX: 'look at the log of the database server',
}

function remedyOf(state: string): string {
  return remedies[state] ?? families[state.slice(0, 2)] ?? 'run with --verbose to see the statement'
}
