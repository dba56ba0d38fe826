import type { Database } from '../database/database.ts'
import { displayJson } from '../value/json/stored-json.ts'

/** A request to the server with a key, so that sending it again does nothing again. */
export interface KeyedRequest {
  readonly key: string
  /** The requested action, as `POST /api/runs`. */
  readonly action: string
  readonly body: unknown
}

/**
 * `claimed`: the key is new, and the caller starts the run; `known`: the run that was started for it; `starting`:
 * another caller is about to start it; `other`: the key was used for another request.
 */
export type RequestClaim =
  | { readonly type: 'claimed' | 'starting' | 'other' }
  | { readonly type: 'known'; readonly run: string }

/** Claims a key, or finds the run that was started for it. A key without a run after a lease's time is free again. */
export async function claimRequest(database: Database, { key, action, body }: KeyedRequest): Promise<RequestClaim> {
  const json = displayJson(body)
  await database.query(`delete from sluice.requests where created_at < clock_timestamp() - interval '7 days'`)
  const claimed = await database.query(
    `insert into sluice.requests as r (key, action, body) values ($1, $2, $3)
     on conflict (key) do update set created_at = clock_timestamp()
       where r.run is null and r.created_at < clock_timestamp() - sluice.lease_time()
         and r.action = excluded.action and r.body = excluded.body
     returning key`,
    [key, action, json],
  )
  if (claimed.length > 0) return { type: 'claimed' }
  const [found] = await database.query<{ same: boolean; run: string | null }>(
    'select action = $2 and body = $3::jsonb as same, run from sluice.requests where key = $1',
    [key, action, json],
  )
  // The key was freed between the two statements: the next attempt claims it.
  if (!found) return { type: 'starting' }
  if (!found.same) return { type: 'other' }
  return found.run === null ? { type: 'starting' } : { type: 'known', run: found.run }
}

/** Notes the run that was started for a claimed key. */
export async function noteRequest(database: Database, key: string, run: string): Promise<void> {
  await database.query('update sluice.requests set run = $2 where key = $1', [key, run])
}

/** Frees a key for which no run could be started. */
export async function dropRequest(database: Database, key: string): Promise<void> {
  await database.query('delete from sluice.requests where key = $1 and run is null', [key])
}
