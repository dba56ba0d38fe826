import type { Queryable } from '../../database/queryable.ts'
import type { Database } from '../../database/database.ts'
import type { RunEvent, RunGauge } from '../../model/event.ts'

export interface StoredEvent {
  readonly id: string
  readonly run: string | undefined
  readonly pipeline: string | undefined
  readonly at: Date
  readonly event: RunEvent
}

export interface ReadEventsOptions {
  readonly run?: string | undefined
  readonly pipeline?: string | undefined
  /** Only events after this one. Ids follow the order of commits, so none is missed. */
  readonly after?: string | undefined
  /** @default 1_000 */
  readonly limit?: number
  readonly signal?: AbortSignal | undefined
}

/** Notified when events are stored. */
export const EVENT_CHANNEL = 'sluice_events'

/** Returns events in the order in which they were stored. */
export async function readEvents(
  database: Database,
  { run, pipeline, after = '0', limit = 1_000, signal }: ReadEventsOptions = {},
): Promise<StoredEvent[]> {
  const rows = await database.query<{
    id: string
    run: string | null
    pipeline: string | null
    at: Date
    data: RunEvent
  }>(
    `select e.id, e.run, r.pipeline, e.at, e.data from sluice.events as e left join sluice.runs as r on r.id = e.run
      where e.id > $1 and ($2::bigint is null or e.run = $2) and ($3::text is null or r.pipeline = $3)
      order by e.id limit $4`,
    [after, run, pipeline, limit],
    { signal },
  )
  return rows.map(({ id, run: its, pipeline: whose, at, data }) => ({
    id,
    run: its ?? undefined,
    pipeline: whose ?? undefined,
    at,
    event: data,
  }))
}

/** Returns the id of the newest event, to read only later ones. */
export async function lastEvent(on: Queryable): Promise<string> {
  const { id } = await on.one<{ id: string }>('select coalesce(max(id), 0)::text as id from sluice.events')
  return id
}

/**
 * Returns the id of the oldest stored event; undefined if there is none. A client that resumes from before this event
 * may have missed events.
 */
export async function oldestEvent(on: Queryable): Promise<string | undefined> {
  const [row] = await on.query<{ id: string | null }>('select min(id)::text as id from sluice.events')
  return row?.id ?? undefined
}

/** Returns the last gauge of each run that has one. */
export async function lastGauges(
  on: Queryable,
  runs: readonly string[],
): Promise<Map<string, RunGauge & { readonly at: Date }>> {
  const rows = await on.query<{ run: string; at: Date; data: RunGauge }>(
    `select r.id as run, e.at, e.data from unnest($1::bigint[]) as r (id),
       lateral (select at, data from sluice.events where run = r.id and type = 'gauge'
        order by id desc limit 1) as e`,
    [runs],
  )
  return new Map(rows.map(({ run, at, data }) => [run, { ...data, at }]))
}
