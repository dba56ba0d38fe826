import type { Database } from '../../database/database.ts'
import type { Queryable } from '../../database/queryable.ts'
import type { StreamName } from '../stream-name.ts'

/**
 * Returns true if any slice of a stream has stored a row, or found it in the table. Slices before a reading of
 * everything in steps do not count: it stores their rows again.
 */
export async function hasStored(
  database: Database,
  { pipeline, stream }: StreamName,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<boolean> {
  const { stored } = await database.one<{ stored: boolean }>(
    `select exists (
       select from sluice.slices as s
        where s.pipeline = $1 and s.stream = $2 and s.inserted + s.updated + s.unchanged > 0
          and not exists (
            select from sluice.full_reads as f
             where (f.pipeline, f.stream, f.partition) = (s.pipeline, s.stream, s.partition)
               and s.id < f.first_slice)) as stored`,
    [pipeline, stream],
    { signal },
  )
  return stored
}

/** Returns true if a slice of a stream has come to its end since a moment of the server's clock. */
export async function hasFinishedSince(
  database: Database,
  { pipeline, stream }: StreamName,
  at: string,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<boolean> {
  const { finished } = await database.one<{ finished: boolean }>(
    `select exists (
       select from sluice.slices
        where pipeline = $1 and stream = $2 and status = 'done' and finished_at >= $3::timestamptz) as finished`,
    [pipeline, stream, at],
    { signal },
  )
  return finished
}

/** Returns how many rows a slice has stored or found in the table, in all runs that read it. */
export async function readStoredRows(on: Queryable, { id }: { readonly id: string }): Promise<number> {
  const { rows } = await on.one<{ rows: string }>(
    'select inserted + updated + unchanged as rows from sluice.slices where id = $1',
    [id],
  )
  return Number(rows)
}

/**
 * Returns true if a stream has stored rows, and its next run will read only what is left: it has a cursor, cursors of
 * child lists, or an interrupted slice.
 */
export async function continues(database: Database, { pipeline, stream }: StreamName): Promise<boolean> {
  const { partial } = await database.one<{ partial: boolean }>(
    `select exists (select from sluice.cursors where pipeline = $1 and stream = $2) or exists (
       select from sluice.parent_cursors where pipeline = $1 and stream = $2) or exists (
       select from sluice.slices
        where pipeline = $1 and stream = $2 and kind = 'sync' and status = 'open' and position is not null) as partial`,
    [pipeline, stream],
  )
  return partial && (await hasStored(database, { pipeline, stream }))
}
