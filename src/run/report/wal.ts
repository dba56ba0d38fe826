import type { Database } from '../../database/database.ts'

/** Where the write-ahead log stands; undefined where this user or server does not tell. */
export async function walPosition(database: Database, signal: AbortSignal): Promise<string | undefined> {
  try {
    const [row] = await database.query<{ lsn: string }>('select pg_current_wal_insert_lsn()::text as lsn', [], {
      signal,
    })
    return row?.lsn
  } catch {
    signal.throwIfAborted()
    return undefined
  }
}

/** Bytes that were written to it since, by us and by others. */
export async function walSince(database: Database, lsn: string, signal: AbortSignal): Promise<number | undefined> {
  try {
    const [row] = await database.query<{ bytes: string }>(
      'select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), $1) as bytes',
      [lsn],
      { signal },
    )
    return row && Number(row.bytes)
  } catch {
    return undefined
  }
}
