import type { Database } from '../../database/database.ts'
import type { Queryable } from '../../database/queryable.ts'
import type { Position } from '../../model/page.ts'
import type { StreamName } from '../stream-name.ts'

/**
 * `replayed`: a replay stored its record; `stored`: a later read stored a record with the same key, or the same record;
 * `superseded`: a later read rejected it again, and lists it instead; `dropped`: by hand.
 */
export type Settlement = 'replayed' | 'stored' | 'superseded' | 'dropped'

/** A record that could not be stored, as in `sluice.rejects`. */
export interface StoredReject {
  readonly id: string
  readonly run: string
  readonly slice: string
  readonly pipeline: string
  readonly stream: string
  readonly stage: string
  readonly reason: string
  /** The record as JSON with every digit. Parse it by `parseJson`. */
  readonly record: string
  /** The parents of the record as JSON, outermost first. */
  readonly parents: string | undefined
  /** The position at which its batch starts. */
  readonly position: Position
  readonly createdAt: Date
  readonly settledAt: Date | undefined
  /** The reason why it is settled; undefined while it is open. */
  readonly settlement: Settlement | undefined
}

export interface ReadRejectsOptions {
  readonly pipeline?: string | undefined
  readonly stream?: string | undefined
  readonly run?: string | undefined
  readonly slice?: string | undefined
  /** Also those that are settled. @default false */
  readonly settled?: boolean
  /** Only rejects after this one, for the next page. */
  readonly after?: string | undefined
  /** The newest first, and only rejects before this one; '' starts at the newest. */
  readonly before?: string | undefined
  /** @default 100 */
  readonly limit?: number
}

/** Counts the open rejects of each stream that has some. */
export async function countRejects(
  on: Queryable,
): Promise<{ readonly pipeline: string; readonly stream: string; readonly rejects: number }[]> {
  return on.query(
    `select pipeline, stream, count(*)::int as rejects from sluice.rejects where settled_at is null
      group by pipeline, stream`,
  )
}

/**
 * Returns rejects, the oldest first unless `before` is given. Pass the last id as `after` or `before` for the next
 * page.
 */
export async function readRejects(
  on: Queryable,
  { pipeline, stream, run, slice, settled = false, after, before, limit = 100 }: ReadRejectsOptions = {},
): Promise<StoredReject[]> {
  const rows = await on.query<
    Omit<StoredReject, 'parents' | 'position' | 'settledAt' | 'settlement'> & {
      readonly parents: string | null
      readonly position: string | null
      readonly settledAt: Date | null
      readonly settlement: Settlement | null
    }
  >(
    `select id, run, slice, pipeline, stream, stage, reason, record::text as record, parents::text as parents,
            position::text as position, created_at as "createdAt", settled_at as "settledAt", settlement
       from sluice.rejects
      where ($1::text is null or pipeline = $1) and ($2::text is null or stream = $2)
        and ($3::bigint is null or run = $3) and ($4::bigint is null or slice = $4)
        and ($5 or settled_at is null) and ($6::bigint is null or id > $6) and ($8::bigint is null or id < $8)
      order by id ${before === undefined ? '' : 'desc'} limit $7`,
    [pipeline, stream, run, slice, settled, after, limit, before || null],
  )
  return rows.map(({ parents, position, settledAt, settlement, ...reject }) => ({
    ...reject,
    parents: parents ?? undefined,
    position: position === null ? null : (JSON.parse(position) as Position),
    settledAt: settledAt ?? undefined,
    settlement: settlement ?? undefined,
  }))
}

export interface OpenIdentity {
  readonly identity: string
  /** The record as JSON, if it is known by its content. */
  readonly record?: string | null
}

/** Returns the identities of the open rejects of a stream, but for those of one slice. */
export async function readOpenIdentities(
  database: Database,
  { pipeline, stream }: StreamName,
  { except, signal }: { readonly except: string; readonly signal: AbortSignal },
): Promise<OpenIdentity[]> {
  return database.query<OpenIdentity>(
    `select distinct on (identity) identity, case when identity not like 'key %' then record::text end as record
       from sluice.rejects
      where pipeline = $1 and stream = $2 and settled_at is null and slice <> $3`,
    [pipeline, stream, except],
    { signal },
  )
}
