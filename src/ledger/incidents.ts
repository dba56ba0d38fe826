// Problems that are told, and who has been told of them. migrations/0044_incidents.sql has the tables.
import type { Database } from '../database/database.ts'
import type { Queryable } from '../database/queryable.ts'
import type { Incident } from '../model/notify.ts'
import { defined } from '../value/defined.ts'

/** A problem that was found just now. */
export type FoundProblem = Pick<Incident, 'pipeline' | 'stream' | 'kind' | 'message'>

export interface NoteIncidentsOptions {
  /** All problems of these pipelines. */
  readonly found: readonly FoundProblem[]
  /** The names of those to be told, by pipeline. A problem of another pipeline stays as it is. */
  readonly targets: ReadonlyMap<string, readonly string[]>
  /** Problems of these streams are not closed: whether they last is known when their run ends. */
  readonly undecided: readonly { readonly pipeline: string; readonly stream: string }[]
  readonly signal: AbortSignal
}

/** Closed incidents are kept this long. */
const KEEP = '90 days'

/**
 * Opens an incident for each new problem, and closes those that were found no more. Each process may call it: a problem
 * is opened once, and closed once. A problem that is over before anybody was told of it is never told.
 */
export async function noteIncidents(
  database: Database,
  { found, targets, undecided, signal }: NoteIncidentsOptions,
): Promise<void> {
  const told = [...targets].flatMap(([pipeline, names]) => names.map((target) => ({ pipeline, target })))
  await using transaction = await database.transaction({ signal })
  // Two processes would deadlock over the incidents that both of them open.
  await transaction.lock('incidents')
  await transaction.query(
    `with found as (
       select distinct on (pipeline, coalesce(stream, ''), kind) pipeline, stream, kind, message
         from json_to_recordset($1) as f (pipeline text, stream text, kind text, message text)
     ), opened as (
       insert into sluice.incidents as i (pipeline, stream, kind, message)
       select pipeline, stream, kind, message from found
       on conflict (pipeline, coalesce(stream, ''), kind) where closed_at is null
         do update set message = excluded.message where i.message <> excluded.message
       returning id, pipeline, xmax = 0 as is_new
     )
     insert into sluice.notices (incident, event, target)
     select o.id, 'opened', t.target
       from opened o join json_to_recordset($2) as t (pipeline text, target text) using (pipeline)
      where o.is_new`,
    [JSON.stringify(found), JSON.stringify(told)],
  )
  await transaction.query(
    `with closed as (
       update sluice.incidents as i set closed_at = clock_timestamp()
        where closed_at is null and pipeline = any($1)
          and not exists (
            select from json_to_recordset($2) as f (pipeline text, stream text, kind text)
             where f.pipeline = i.pipeline and f.stream is not distinct from i.stream and f.kind = i.kind)
          and not exists (
            select from json_to_recordset($3) as u (pipeline text, stream text)
             where u.pipeline = i.pipeline and u.stream = i.stream)
       returning id
     ), untold as (
       delete from sluice.notices as n using closed
        where n.incident = closed.id and n.sent_at is null
          and coalesce(n.claimed_until, '-infinity') < clock_timestamp()
       returning n.id
     )
     insert into sluice.notices (incident, event, target)
     select n.incident, 'closed', n.target from closed join sluice.notices n on n.incident = closed.id
      where not exists (select from untold where untold.id = n.id)`,
    [[...targets.keys()], JSON.stringify(found), JSON.stringify(undecided)],
  )
  await transaction.query(
    `delete from sluice.incidents where id in (
       select id from sluice.incidents where closed_at < clock_timestamp() - $1::interval limit 500)`,
    [KEEP],
  )
  await transaction.commit()
}

/** A notice that this process has to send. */
export interface ClaimedNotice {
  readonly id: string
  readonly event: 'opened' | 'closed'
  readonly target: string
  readonly incident: Incident
}

/** A claim lasts longer than any attempt to send. */
const CLAIM = '2 minutes'

/** Claims the notices that are due for some targets, oldest first. No other process sends them meanwhile. */
export async function claimNotices(
  database: Database,
  targets: readonly string[],
  { signal }: { readonly signal: AbortSignal },
): Promise<ClaimedNotice[]> {
  const rows = await database.query<ClaimedRow>(
    `with due as (
       select id from sluice.notices
        where sent_at is null and due_at <= clock_timestamp() and target = any($1)
          and coalesce(claimed_until, '-infinity') < clock_timestamp()
        order by id limit 500 for update skip locked
     ), claimed as (
       update sluice.notices as n
          set claimed_until = clock_timestamp() + $2::interval, attempts = attempts + 1
         from due where n.id = due.id
       returning n.id, n.event, n.target, n.incident
     )
     select c.id::text as notice, c.event, c.target, ${INCIDENT}
       from claimed c join sluice.incidents i on i.id = c.incident order by c.id`,
    [targets, CLAIM],
    { signal },
  )
  return rows.map(({ notice: id, event, target, ...incident }) => ({
    id,
    event,
    target,
    incident: incidentOf(incident),
  }))
}

/** Notes that notices were sent. */
export async function noteSent(on: Queryable, ids: readonly string[]): Promise<void> {
  await on.query(
    'update sluice.notices set sent_at = clock_timestamp(), claimed_until = null, error = null where id = any($1)',
    [ids],
  )
}

/**
 * Notes that notices could not be sent. They are sent again after one minute, two, four and so on to an hour, and no
 * more after a day.
 */
export async function noteNotSent(on: Queryable, ids: readonly string[], error: string): Promise<void> {
  await on.query(
    `update sluice.notices
        set claimed_until = null, error = $2,
            due_at = case when created_at < clock_timestamp() - interval '1 day' then 'infinity'
                          else clock_timestamp()
                            + least(interval '1 hour', interval '30 seconds' * 2 ^ least(attempts, 10)) end
      where id = any($1)`,
    [ids, error],
  )
}

/** Returns incidents, the newest first. */
export async function readIncidents(
  on: Queryable,
  { onlyOpen, limit }: { readonly onlyOpen: boolean; readonly limit: number },
): Promise<(Incident & { readonly told: readonly string[]; readonly notTold: readonly string[] })[]> {
  const rows = await on.query<IncidentRow & { told: string[]; notTold: string[] }>(
    `select ${INCIDENT},
            array(select n.target from sluice.notices n
                   where n.incident = i.id and n.event = 'opened' and n.sent_at is not null order by 1) as told,
            array(select n.target || coalesce(': ' || n.error, '') from sluice.notices n
                   where n.incident = i.id and n.sent_at is null order by 1) as "notTold"
       from sluice.incidents i where $1 = false or closed_at is null order by i.id desc limit $2`,
    [onlyOpen, limit],
  )
  return rows.map(({ told, notTold, ...incident }) => ({ ...incidentOf(incident), told, notTold }))
}

const INCIDENT = `i.id::text as id, i.pipeline, i.stream, i.kind, i.message, i.opened_at as "openedAt",
            i.closed_at as "closedAt"`

interface IncidentRow {
  readonly id: string
  readonly pipeline: string
  readonly stream: string | null
  readonly kind: string
  readonly message: string
  readonly openedAt: Date
  readonly closedAt: Date | null
}

interface ClaimedRow extends IncidentRow {
  readonly notice: string
  readonly event: 'opened' | 'closed'
  readonly target: string
}

const incidentOf = ({ stream, openedAt, closedAt, ...incident }: IncidentRow): Incident => ({
  ...incident,
  ...defined({ stream: stream ?? undefined }),
  openedAt: openedAt.toISOString(),
  ...defined({ closedAt: closedAt?.toISOString() }),
})
