import type { Database } from '../../database/database.ts'

/** Returns the position of the write-ahead log; undefined if this user may not read it. */
export async function walPosition(database: Database, signal: AbortSignal): Promise<string | undefined> {
  try {
    const { lsn } = await database.one<{ lsn: string }>('select pg_current_wal_insert_lsn()::text as lsn', [], {
      signal,
    })
    return lsn
  } catch {
    signal.throwIfAborted()
    return undefined
  }
}

/** Returns the bytes that all clients have written to the write-ahead log since a position. */
export async function walSince(database: Database, lsn: string, signal: AbortSignal): Promise<number | undefined> {
  try {
    const { bytes } = await database.one<{ bytes: string }>(
      'select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), $1) as bytes',
      [lsn],
      { signal },
    )
    return Number(bytes)
  } catch {
    return undefined
  }
}
