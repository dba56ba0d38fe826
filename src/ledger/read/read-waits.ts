import type { Queryable } from '../../database/queryable.ts'
import { ENDPOINT_IN_NAME, type LimitSource } from '../../model/rate.ts'

/** A time in which no process sends requests to an API, or to one of its paths. */
export interface StoredWait {
  /** The budget that has to wait. */
  readonly rate: string
  /** The origin of the API. */
  readonly api: string
  /**
   * Null is the whole API, or the endpoint. `{}` stands for any value. A path of another origin begins with that
   * origin.
   */
  readonly path: string | null
  /** The endpoint whose limits these are, such as `GET /users`. @default null: they are those of the whole API */
  readonly endpoint: string | null
  readonly until: Date
  /** The response that asked for the wait. Waits that older versions stored have none. */
  readonly source: WaitSource | undefined
}

export interface WaitSource extends LimitSource {
  readonly run: string
  readonly pipeline: string
}

/** Returns the waits that are not over, the longest first. */
export async function readWaits(on: Queryable): Promise<StoredWait[]> {
  const rows = await on.query<Omit<StoredWait, 'source'> & { readonly source: WaitSource | null }>(
    `select w.rate, r.origin as api, nullif(w.path, '') as path, substring(r.rate from $1) as endpoint, w.until,
            case when u.id is not null then w.source || jsonb_build_object('pipeline', u.pipeline) end as source
       from sluice.waits as w
       join sluice.rates as r on r.id = w.rate
       left join sluice.runs as u on u.id = (w.source ->> 'run')::bigint
      where w.remaining is null or w.remaining = 0
      order by w.until desc, w.rate, w.path`,
    [ENDPOINT_IN_NAME],
  )
  return rows.map(({ source, ...wait }) => ({ ...wait, source: source ?? undefined }))
}
