import type { Queryable } from '../database/queryable.ts'

/** Drops open rejects by hand: of a pipeline, of one of its streams, or only those with some ids. Returns their ids. */
export async function dropRejects(
  on: Queryable,
  { pipeline, stream }: { readonly pipeline: string; readonly stream?: string | undefined },
  { ids }: { readonly ids?: readonly string[] | undefined } = {},
): Promise<string[]> {
  const rows = await on.query<{ id: string }>('select sluice.drop_rejects($1, $2, $3::bigint[]) as id', [
    pipeline,
    stream,
    ids,
  ])
  return rows.map(({ id }) => id)
}
