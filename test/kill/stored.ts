import type { Client } from 'pg'
import { setTimeout as sleep } from 'node:timers/promises'
import type { JsonValue } from '../../src/model/json.ts'

/** A slice as the ledger has it. */
export interface StoredSlice {
  readonly id: number
  readonly stream: 'items' | 'notes'
  readonly status: string
  readonly since: string | null
  readonly position: JsonValue
  readonly token: number
  /** The run that began it from its start. */
  readonly started_by: number
  readonly seq: number
  readonly fetched: number
  readonly expanded: number
  readonly parents: number
  readonly inserted: number
  readonly updated: number
  readonly unchanged: number
  readonly filtered: number
  readonly duplicate: number
  readonly deleted: number
  readonly rejected: number
  readonly swap_inserted: number
  readonly swap_updated: number
  readonly swap_deleted: number
}

export async function slices(direct: Client): Promise<StoredSlice[]> {
  // Of two columns with one name, the row has the later one.
  const { rows } = await direct.query<StoredSlice>(
    `select *, coalesce(swap_inserted, 0) as swap_inserted, coalesce(swap_updated, 0) as swap_updated,
            coalesce(swap_deleted, 0) as swap_deleted
       from sluice.slices order by id`,
  )
  return rows
}

/** Returns the number of rejects of each slice. */
export async function rejects(direct: Client): Promise<Map<number, number>> {
  const { rows } = await direct.query<{ slice: number; count: number }>(
    'select slice, count(*) from sluice.rejects group by slice',
  )
  return new Map(rows.map(({ slice, count }) => [slice, count]))
}

export type Row = (string | number | null)[]

const COLUMNS = {
  items: `id, name, amount::text, to_char(updated at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    to_jsonb(t) ->> 'note'`,
  notes: `id, folder_id, text, stars::text, to_char(updated at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`,
} as const

/** Returns all rows of a table by key, with doubles. Returns none if the table does not exist. */
export async function rows(direct: Client, table: 'items' | 'notes'): Promise<Row[]> {
  if (!(await exists(direct, table))) return []
  const { rows } = await direct.query<Row>({
    text: `select ${COLUMNS[table]} from kill.${table} t order by id`,
    rowMode: 'array',
  })
  return rows
}

export async function count(direct: Client, table: 'items' | 'notes'): Promise<number> {
  if (!(await exists(direct, table))) return 0
  const { rows } = await direct.query<{ count: number }>(`select count(*) from kill.${table}`)
  return rows[0]!.count
}

/** Returns the version and the place of each stored row, so that also an update without a change shows. */
export async function versions(direct: Client, table: 'items' | 'notes'): Promise<string> {
  if (!(await exists(direct, table))) return ''
  const { rows } = await direct.query<{ all: string | null }>(
    `select string_agg(ctid::text || ' ' || xmin::text, ',' order by ctid) as all from kill.${table}`,
  )
  return rows[0]!.all ?? ''
}

/** Returns the shadow and temporary tables that are left, and the tables of mirrors that are not empty. */
export async function leftovers(direct: Client): Promise<string[]> {
  const { rows } = await direct.query<{ name: string }>(
    `select oid::regclass::text as name from pg_class
      where relkind = 'r' and (relname like 'shadow%' or relpersistence = 't')
     union all select 'sluice.mirrors' from sluice.mirrors
     union all select 'sluice.mirror_keys' from sluice.mirror_keys`,
  )
  return rows.map(({ name }) => name)
}

/** Waits until no other session is left in the database: what a killed process has sent may still be carried out. */
export async function alone(direct: Client): Promise<void> {
  for (let tries = 0; tries < 1_000; tries++) {
    const { rows } = await direct.query<{ count: number }>(
      `select count(*) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`,
    )
    if (rows[0]!.count === 0) return
    await sleep(10)
  }
  throw new Error('Sessions of a process that was killed are still there after 10 s')
}

async function exists(direct: Client, table: string): Promise<boolean> {
  const { rows } = await direct.query<{ found: boolean }>('select to_regclass($1) is not null as found', [
    `kill.${table}`,
  ])
  return rows[0]!.found
}
