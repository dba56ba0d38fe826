// What is stored of the streams of the deletions, so that two states can be compared.
import type { Client } from 'pg'
import type { Rows } from './records.ts'

/** What is stored of one stream. */
export interface StreamState {
  readonly stream: string
  /** How far its readings are committed. */
  readonly progress: string
  /** The rows of its tables, by the names of these. */
  readonly tables: Readonly<Record<string, Rows>>
  /** What the ledger keeps of deleted rows. */
  readonly kept: Rows
}

/** Returns the rows and the deleted rows of a stream as one text: two states that are equal have the same. */
export const contentsOf = ({ tables, kept }: StreamState): string =>
  JSON.stringify([Object.entries(tables).filter(([, rows]) => rows.length > 0), kept])

/** Reads what is stored of streams, at one moment. Times of today are `lately`: no two runs have the same. */
export async function readStates(direct: Client, streams: readonly string[]): Promise<StreamState[]> {
  await direct.query('begin isolation level repeatable read, read only')
  try {
    const states: StreamState[] = []
    for (const stream of streams) states.push(await readState(direct, stream))
    return states
  } finally {
    await direct.query('commit')
  }
}

async function readState(direct: Client, stream: string): Promise<StreamState> {
  const { rows: names } = await direct.query<{ name: string }>(
    `select c.relname as name from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
      where n.nspname = 'kill' and c.relkind = 'r' and (c.relname = $1 or starts_with(c.relname, $1 || '_'))
      order by 1`,
    [stream],
  )
  const tables: Record<string, Rows> = {}
  for (const { name } of names) tables[name] = await jsonRows(direct, `select * from kill.${name}`)
  const { rows } = await direct.query<{ progress: string }>(
    `select coalesce(sum(seq), 0) || ' batches, ' || count(*) filter (where status = 'done') || ' readings' as progress
       from sluice.slices where stream = $1`,
    [stream],
  )
  const kept = await jsonRows(
    direct,
    `select table_name, key, version, row, parent_table, parent_key, reason from sluice.deleted_rows
      where stream = '${stream}'`,
  )
  return { stream, progress: rows[0]!.progress, tables, kept }
}

async function jsonRows(direct: Client, query: string): Promise<Rows> {
  const { rows } = await direct.query<{ row: string }>(
    `select json_strip_nulls(to_json(t))::text as row from (${query}) as t order by 1`,
  )
  return rows.map(({ row }) => JSON.parse(row, withoutToday) as Rows[number])
}

/** The records are of 2024. */
const withoutToday = (_: string, value: unknown): unknown =>
  typeof value === 'string' && /^20(?:2[5-9]|[3-9]\d)-\d\d-\d\d[T ]/.test(value) ? 'lately' : value

/** Returns the version and the place of each row of the tables and of the deleted rows. */
export async function placesOf(direct: Client): Promise<string> {
  const { rows: names } = await direct.query<{ name: string }>(
    `select oid::regclass::text as name from pg_class
      where relkind = 'r' and relnamespace = 'kill'::regnamespace union all select 'sluice.deleted_rows' order by 1`,
  )
  const places: string[] = []
  for (const { name } of names) {
    const { rows } = await direct.query<{ all: string | null }>(
      `select string_agg(ctid::text || ' ' || xmin::text, ',' order by ctid) as all from ${name}`,
    )
    places.push(`${name}: ${rows[0]?.all ?? ''}`)
  }
  return places.join('\n')
}
