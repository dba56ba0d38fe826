import type { Database } from '../database/database.ts'
import type { RunEvent } from '../model/event.ts'

export interface StoredEvent {
  readonly id: string
  readonly run: string | undefined
  readonly at: Date
  readonly event: RunEvent
}

export interface ReadEventsOptions {
  readonly run?: string | undefined
  /** Those after this one; ids are in the order of commits, so none is passed over. */
  readonly after?: string | undefined
  /** @default 1_000 */
  readonly limit?: number
  readonly signal?: AbortSignal | undefined
}

/** In the order in which they were stored. Channel `sluice` is notified when there are more. */
export async function readEvents(database: Database, { run, after = '0', limit = 1_000, signal }: ReadEventsOptions = {}): Promise<StoredEvent[]> {
  const rows = await database.query<{ id: string; run: string | null; at: Date; data: RunEvent }>(
    'select id, run, at, data from sluice.events where id > $1 and ($2::bigint is null or run = $2) order by id limit $3', [after, run, limit], { signal })
  return rows.map(({ id, run: its, at, data }) => ({ id, run: its ?? undefined, at, event: data }))
}

/** The newest event's id, to read only what comes after it. */
export async function lastEvent(database: Database): Promise<string> {
  const [row] = await database.query<{ id: string }>('select coalesce(max(id), 0)::text as id from sluice.events')
  return row!.id
}
