// Questions about the server and its tables that a person asks before a failure. They read statistics only.
import type { Queryable } from './queryable.ts'
import { quoteTable } from './quote.ts'

/** Row versions of a table that vacuum has not removed yet, by the server's statistics. */
export interface TableBloat {
  readonly table: string
  readonly live: number
  readonly dead: number
  /** The last vacuum, by hand or by itself; null if there was none since the statistics began. */
  readonly vacuumedAt: Date | null
  /** False if the table has switched autovacuum off. */
  readonly isAutomatic: boolean
}

/** Returns the row versions of tables, with those of their partitions, and of all tables of a schema. */
export async function readBloat(on: Queryable, tables: readonly string[], schema: string): Promise<TableBloat[]> {
  const rows = await on.query<Omit<TableBloat, 'live' | 'dead'> & { readonly live: string; readonly dead: string }>(
    `with chosen as (
       select n.nspname || '.' || c.relname as name, c.oid
         from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.relkind in ('r', 'p')
          and (n.nspname = $2 or c.oid in (select to_regclass(name)::oid from unnest($1::text[]) as given (name)))
     )
     select chosen.name as table, sum(s.n_live_tup) as live, sum(s.n_dead_tup) as dead,
            max(greatest(s.last_vacuum, s.last_autovacuum)) as "vacuumedAt",
            bool_and(not coalesce(c.reloptions && array['autovacuum_enabled=false', 'autovacuum_enabled=off'], false))
              as "isAutomatic"
       from chosen
       cross join lateral (select chosen.oid as oid union select relid from pg_partition_tree(chosen.oid)) as part
       join pg_stat_all_tables as s on s.relid = part.oid join pg_class as c on c.oid = part.oid
      group by chosen.name order by sum(s.n_dead_tup) desc, 1`,
    [tables.map(quoteTable), schema],
  )
  return rows.map(({ live, dead, ...row }) => ({ ...row, live: Number(live), dead: Number(dead) }))
}

/** A transaction that has been open for long: until it ends, vacuum removes no row version that it could still see. */
export interface OldTransaction {
  readonly pid: number
  readonly user: string | null
  readonly application: string
  readonly state: string | null
  readonly seconds: number
}

/** Returns the transactions of this database that are older than some seconds, the oldest first. */
export const readOldTransactions = (on: Queryable, seconds: number): Promise<OldTransaction[]> =>
  on.query<OldTransaction & Record<string, unknown>>(
    `select pid, usename as "user", application_name as application, state,
            extract(epoch from clock_timestamp() - xact_start)::float8 as seconds
       from pg_stat_activity
      where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()
        and xact_start < clock_timestamp() - make_interval(secs => $1)
      order by xact_start limit 20`,
    [seconds],
  )

/** SQL: a session of a client. The server shows the kind of other users' sessions only to members of their roles. */
const CLIENT = `datid is not null and coalesce(backend_type, 'client backend') = 'client backend'`

/** How many connections the server takes, and how many are left for this user. */
export interface ConnectionRoom {
  readonly used: number
  /** Connections that may still be opened: by the server, the database and the role, whichever is least. */
  readonly free: number
  /** The setting that limits them, with its value. */
  readonly limit: string
}

/** Returns the room for connections of the current user in the current database. */
export async function readConnectionRoom(on: Queryable): Promise<ConnectionRoom> {
  const found = await on.one<{
    max: number
    reserved: number
    used: number
    database: number
    inDatabase: number
    role: number
    ofRole: number
  }>(
    `select current_setting('max_connections')::int as max,
            current_setting('superuser_reserved_connections')::int
              + coalesce(current_setting('reserved_connections', true), '0')::int as reserved,
            (select count(*)::int from pg_stat_activity where ${CLIENT}) as used,
            d.datconnlimit as database, r.rolconnlimit as role,
            (select count(*)::int from pg_stat_activity where datid = d.oid and ${CLIENT})
              as "inDatabase",
            (select count(*)::int from pg_stat_activity where usesysid = r.oid and ${CLIENT})
              as "ofRole"
       from pg_database as d, pg_roles as r where d.datname = current_database() and r.rolname = current_user`,
  )
  const { max, reserved, used, database, inDatabase, role, ofRole } = found
  const rooms = [
    { limit: `max_connections ${max}`, free: max - reserved - used },
    ...(database < 0 ? [] : [{ limit: `the ${database} of the database`, free: database - inDatabase }]),
    ...(role < 0 ? [] : [{ limit: `the ${role} of the role`, free: role - ofRole }]),
  ]
  const least = rooms.reduce((a, b) => (b.free < a.free ? b : a))
  return { used, ...least }
}

/**
 * Returns how many milliseconds the server's clock is ahead of this machine's, negative if it is behind. `uncertainMs`
 * is half the time that the quickest of three answers took.
 */
export async function readClockDifference(
  on: Queryable,
  now: () => number,
): Promise<{ readonly aheadMs: number; readonly uncertainMs: number }> {
  const answers: { readonly aheadMs: number; readonly uncertainMs: number }[] = []
  for (let round = 0; round < 3; round++) {
    const [before, started] = [now(), performance.now()]
    const { ms } = await on.one<{ ms: number }>('select extract(epoch from clock_timestamp())::float8 * 1000 as ms')
    const half = (performance.now() - started) / 2
    answers.push({ aheadMs: ms - before - half, uncertainMs: half })
  }
  return answers.reduce((a, b) => (b.uncertainMs < a.uncertainMs ? b : a))
}
