import pg from 'pg'
import { UsageError } from '../../model/errors.ts'
import { isPort, MAX_PORT, portProblem } from '../../value/port.ts'
import { connectionConfig } from './tls.ts'

/**
 * Returns how messages name a database: its name, host and port, never its password. Throws for an invalid URL. `place`
 * is where the URL stands.
 */
export function databaseLabel(url: string, place = 'DATABASE_URL'): string {
  const { database, host, port } = clientOf(url, place)
  if (!isPort(port) || port === 0)
    throw new UsageError(`The port of the database is ${port}, by PGPORT. Give a number from 1 to ${MAX_PORT}`)
  return `Database ${database ?? 'postgres'} at ${host}:${port}`
}

function clientOf(url: string, place: string): pg.Client {
  const config = connectionConfig(url)
  try {
    return new pg.Client(config)
  } catch (cause) {
    // The driver's error would quote the URL, so only its code is kept.
    throw new UsageError(
      `${place} is not the URL of a database${portProblem(url)}. ` +
        'Write it like postgres://user:password@host:5432/database.',
      { cause: (cause as { code?: string }).code },
    )
  }
}
