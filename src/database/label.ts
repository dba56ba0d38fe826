import pg from 'pg'
import { UsageError } from '../model/errors.ts'

/** Where a database is, for messages: never with its password. */
export function databaseLabel(url: string): string {
  let client: pg.Client
  try {
    client = new pg.Client({ connectionString: url })
  } catch (cause) {
    // The driver's own message would repeat the URL.
    throw new UsageError(
      'DATABASE_URL is no address of a database: write postgres://user:password@host:5432/database',
      { cause: (cause as { code?: string }).code },
    )
  }
  return `Database ${client.database ?? 'postgres'} at ${client.host}:${client.port}`
}
