import type { Database } from '../database/database.ts'
import { displayJson } from '../value/json/stored-json.ts'

/** What somebody asks for with a key, so that asking again does nothing again. */
export interface KeyedRequest {
  readonly key: string
  /** The kind of thing that is asked for, as in `POST /api/runs`. */
  readonly what: string
  readonly body: unknown
}

/**
 * `ours`: nobody has asked so before, and we see to it; `known`: the run that was begun for it; `beginning`: somebody
 * else is about to begin it; `other`: the key was used for something else.
 */
export type Taken =
  | { readonly outcome: 'ours' | 'beginning' | 'other' }
  | { readonly outcome: 'known'; readonly run: string }

/** Who took a key and has begun nothing for so long has died. */
const ABANDONED = '60 seconds'

/** Take a key, or find what was begun for it. */
export async function takeRequest(database: Database, { key, what, body }: KeyedRequest): Promise<Taken> {
  const json = displayJson(body)
  await database.query(`delete from sluice.requests where created_at < clock_timestamp() - interval '7 days'`)
  const taken = await database.query(
    `insert into sluice.requests as r (key, what, body) values ($1, $2, $3)
     on conflict (key) do update set created_at = clock_timestamp()
       where r.run is null and r.created_at < clock_timestamp() - interval '${ABANDONED}' and r.what = excluded.what and r.body = excluded.body
     returning key`,
    [key, what, json],
  )
  if (taken.length > 0) return { outcome: 'ours' }
  const [found] = await database.query<{ same: boolean; run: string | null }>(
    'select what = $2 and body = $3::jsonb as same, run from sluice.requests where key = $1',
    [key, what, json],
  )
  // Given up between the two: whoever asks again takes it.
  if (!found) return { outcome: 'beginning' }
  if (!found.same) return { outcome: 'other' }
  return found.run === null ? { outcome: 'beginning' } : { outcome: 'known', run: found.run }
}

/** Note the run that was begun for a key that is ours. */
export async function noteRequest(database: Database, key: string, run: string): Promise<void> {
  await database.query('update sluice.requests set run = $2 where key = $1', [key, run])
}

/** Nothing could be begun: the key is free again. */
export async function dropRequest(database: Database, key: string): Promise<void> {
  await database.query('delete from sluice.requests where key = $1 and run is null', [key])
}
