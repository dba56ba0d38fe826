import type { Database } from '../../../src/database/database.ts'

/** What PostgreSQL itself counts, from one moment on. */
export class Observer {
  readonly #database: Database
  readonly #waits = new Map<string, number>()
  #samples = 0
  #began = performance.now()

  constructor(database: Database) {
    this.#database = database
  }

  async begin(): Promise<void> {
    await this.#database.query('create extension if not exists pg_stat_statements')
    await this.#database.query('select pg_stat_statements_reset(), pg_stat_reset()')
    this.#began = performance.now()
  }

  /** Looks once at what the sessions wait for. */
  async sample(): Promise<void> {
    const rows = await this.#database.query<{ wait: string; sessions: string }>(
      `select coalesce(wait_event_type || ' ' || wait_event, 'processor') as wait, count(*) as sessions
         from pg_stat_activity
        where datname = current_database() and state = 'active' and pid <> pg_backend_pid() group by 1`,
    )
    this.#samples += 1
    for (const { wait, sessions } of rows) this.#waits.set(wait, (this.#waits.get(wait) ?? 0) + Number(sessions))
  }

  async lines(): Promise<string[]> {
    const seconds = (performance.now() - this.#began) / 1_000
    const { calls, ms } = await this.#database.one<{ calls: string; ms: number }>(
      `select sum(calls) as calls, sum(total_exec_time) as ms from pg_stat_statements
        where toplevel and dbid = (select oid from pg_database where datname = current_database())`,
    )
    const statements = await this.#database.query<{
      query: string
      toplevel: boolean
      calls: string
      ms: number
      mean: number
    }>(
      `select regexp_replace(left(query, 400), '\\s+', ' ', 'g') as query, toplevel, calls,
              total_exec_time as ms, mean_exec_time as mean
         from pg_stat_statements
        where dbid = (select oid from pg_database where datname = current_database())
        order by total_exec_time desc limit 24`,
    )
    const tables = await this.#database.query<
      Record<'name' | 'inserted' | 'updated' | 'hot' | 'dead' | 'live', string>
    >(
      `select schemaname || '.' || relname as name, n_tup_ins as inserted, n_tup_upd as updated, n_tup_hot_upd as hot,
              n_dead_tup as dead, n_live_tup as live
         from pg_stat_user_tables where n_tup_upd + n_tup_ins > 0 order by n_tup_upd + n_tup_ins desc limit 8`,
    )
    const waits = [...this.#waits].toSorted(([, a], [, b]) => b - a).slice(0, 8)
    return [
      `statements: ${calls}, ${(Number(calls) / seconds).toFixed(0)} a second, ` +
        `${(ms / 1_000 / seconds).toFixed(2)} of them under way at a time`,
      ...statements.map(
        ({ query, toplevel, calls, ms, mean }) =>
          `${(ms / 1_000).toFixed(1).padStart(8)} s  ${calls.padStart(8)} calls  ` +
          `${mean.toFixed(2).padStart(7)} ms each  ` +
          `${toplevel ? '' : '… within: '}${query.trim().slice(0, 110)}`,
      ),
      'tables: rows inserted, updated (of them within their page), dead, live',
      ...tables.map(
        ({ name, inserted, updated, hot, dead, live }) =>
          `  ${name}: ${inserted}, ${updated} (${hot}), ${dead}, ${live}`,
      ),
      'sessions that were active, on average, by what they waited for',
      ...waits.map(([wait, sessions]) => `  ${wait}: ${(sessions / Math.max(1, this.#samples)).toFixed(2)}`),
    ]
  }
}
