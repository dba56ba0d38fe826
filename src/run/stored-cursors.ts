import { sqlState } from '../database/errors.ts'
import type { Queryable } from '../database/queryable.ts'
import { readCursors } from '../ledger/cursors.ts'

/** Returns the cursors of a pipeline's streams. None if nothing has run in this database yet. */
export async function storedCursors(on: Queryable, pipeline: string): Promise<ReadonlyMap<string, string>> {
  try {
    return new Map((await readCursors(on, { pipeline })).map(({ stream, value }) => [stream, value]))
  } catch (error) {
    // Schema sluice or its tables do not exist yet.
    if (sqlState(error) === '42P01' || sqlState(error) === '3F000') return new Map()
    throw error
  }
}
