// Cursors of child lists: each parent has its own.
import type { Database } from '../database/database.ts'
import { quoteLiteral } from '../database/quote.ts'
import type { Queryable } from '../database/queryable.ts'
import type { ParentCursor } from '../model/page.ts'
import type { Slice } from '../model/slice.ts'
import { compareCursors } from '../value/cursor-order.ts'
import { storableText } from '../value/text.ts'
import type { StreamName } from './stream-name.ts'

/** Returns the cursors of some lists, by list. A list that was never read to its end has none. */
export async function readParentCursors(
  database: Database,
  { pipeline, stream, partition = '' }: StreamName,
  lists: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const rows = await database.query<{ list: string; value: string }>(
    `select list, value from sluice.parent_cursors
      where (pipeline, stream, partition) = ($1, $2, $3) and list = any($4::text[])`,
    [pipeline, stream, partition, lists],
    { signal },
  )
  return new Map(rows.map(({ list, value }) => [list, value]))
}

/** Returns the statement that moves cursors, '' without any. Send it together with `advanceSql`. */
export function parentCursorsSql({ id }: Pick<Slice, 'id'>, cursors: readonly ParentCursor[]): string {
  if (cursors.length === 0) return ''
  const byList = new Map<string, ParentCursor>()
  for (const cursor of cursors) {
    const other = byList.get(cursor.list)
    if (!other || compareCursors(cursor.value, other.value) > 0) byList.set(cursor.list, cursor)
  }
  const values = [...byList.values()].map(({ list, request, value }) => ({
    list,
    request: storableText(request),
    value: storableText(value),
  }))
  return `select sluice.move_parent_cursors(${BigInt(id)}, ${quoteLiteral(JSON.stringify(values))}::jsonb);\n`
}

/** Removes the cursors of all lists of a stream: the next run reads each from its start. */
export async function clearParentCursors(
  on: Queryable,
  { pipeline, stream, partition = '' }: StreamName,
): Promise<void> {
  await on.query('delete from sluice.parent_cursors where (pipeline, stream, partition) = ($1, $2, $3)', [
    pipeline,
    stream,
    partition,
  ])
}

/** Returns true if lists of a stream have cursors: then a reading from its start brings only what is new in them. */
export async function hasParentCursors(
  on: Queryable,
  { pipeline, stream, partition = '' }: StreamName,
): Promise<boolean> {
  const { has } = await on.one<{ has: boolean }>(
    `select exists (
       select from sluice.parent_cursors where (pipeline, stream, partition) = ($1, $2, $3)) as has`,
    [pipeline, stream, partition],
  )
  return has
}

/** The streams that have cursors of lists, and their number. */
export interface CountedParents {
  readonly pipeline: string
  readonly stream: string
  readonly lists: number
  readonly updatedAt: Date
}

export async function countParentCursors(
  on: Queryable,
  { pipeline, stream }: { readonly pipeline?: string | undefined; readonly stream?: string | undefined },
): Promise<CountedParents[]> {
  return on.query<CountedParents>(
    `select pipeline, stream, count(*)::int as lists, max(updated_at) as "updatedAt" from sluice.parent_cursors
      where ($1::text is null or pipeline = $1) and ($2::text is null or stream = $2)
      group by pipeline, stream order by pipeline, stream`,
    [pipeline, stream],
  )
}
