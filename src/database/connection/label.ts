import pg from 'pg'
import { UsageError } from '../../model/errors.ts'
import { connectionConfig } from './tls.ts'

/** Returns how messages name a database: its name, host and port, never its password. Throws for an invalid URL. */
export function databaseLabel(url: string): string {
  const { database, host, port } = clientOf(url)
  return `Database ${database ?? 'postgres'} at ${host}:${port}`
}

function clientOf(url: string): pg.Client {
  const config = connectionConfig(url)
  try {
    return new pg.Client(config)
  } catch (cause) {
    // The driver's error would quote the URL, so only its code is kept.
    throw new UsageError(
      'DATABASE_URL is not the URL of a database. Write it like postgres://user:password@host:5432/database.',
      { cause: (cause as { code?: string }).code },
    )
  }
}
