// What persons have changed by hand, with who and why. migrations/0050_pauses.sql has the table.
import type { Queryable } from '../database/queryable.ts'
import { defined } from '../value/defined.ts'
import { storableText } from '../value/text.ts'

/** Who changes something by hand, and why. */
export interface Author {
  /** `user@host`. */
  readonly who: string
  readonly why?: string | undefined
}

/** A change by hand. */
export interface Change extends Author {
  readonly at: Date
  readonly pipeline: string
  /** Undefined for a change of the whole pipeline. */
  readonly stream?: string
  readonly run?: string
  /** What was changed, such as `paused`. */
  readonly change: string
}

/** Notes a change. Call it in the transaction of the change. */
export async function noteChange(on: Queryable, change: Omit<Change, 'at'>): Promise<void> {
  const { who, why, pipeline, stream, run, change: text } = change
  await on.query(
    'insert into sluice.changes (who, why, pipeline, stream, run, change) values ($1, $2, $3, $4, $5, $6)',
    [storableText(who), why === undefined ? null : storableText(why), pipeline, stream, run, storableText(text)],
  )
}

export interface ReadChangesOptions {
  readonly pipeline?: string | undefined
  /** Also returns changes of the whole pipeline. */
  readonly stream?: string | undefined
  readonly run?: string | undefined
  /** @default 20 */
  readonly limit?: number
}

/** Returns changes by hand, the newest first. */
export async function readChanges(
  on: Queryable,
  { pipeline, stream, run, limit = 20 }: ReadChangesOptions,
): Promise<Change[]> {
  const rows = await on.query<
    Omit<Change, 'why' | 'stream' | 'run'> & Readonly<Record<'why' | 'stream' | 'run', string | null>>
  >(
    `select at, who, why, pipeline, stream, run::text as run, change from sluice.changes
      where ($1::text is null or pipeline = $1) and ($2::text is null or coalesce(stream, $2) = $2)
        and ($3::bigint is null or run = $3)
      order by id desc limit $4`,
    [pipeline, stream, run, limit],
  )
  return rows.map(({ why, stream: of, run: ofRun, ...row }) => ({
    ...row,
    ...defined({ why: why ?? undefined, stream: of ?? undefined, run: ofRun ?? undefined }),
  }))
}

/** The last change of a stream's cursor. */
export type LastChange = Change & { readonly stream: string }

/** Returns the last change by hand of each cursor. */
export async function readLastCursorChanges(
  on: Queryable,
  { pipeline, stream }: Pick<ReadChangesOptions, 'pipeline' | 'stream'>,
): Promise<LastChange[]> {
  const rows = await on.query<Omit<LastChange, 'why'> & { readonly why: string | null }>(
    `select distinct on (pipeline, stream) at, who, why, pipeline, stream, change from sluice.changes
      where ($1::text is null or pipeline = $1) and ($2::text is null or stream = $2)
        and stream is not null and starts_with(change, 'cursor ')
      order by pipeline, stream, id desc`,
    [pipeline, stream],
  )
  return rows.map(({ why, ...row }) => ({ ...row, ...defined({ why: why ?? undefined }) }))
}

/** Returns who and why as messages have it: `by ada@host at 2024-01-31T12:00:00Z: the API moves`. */
export const authorText = ({ who, why, at }: Author & { readonly at: Date }): string =>
  `by ${who} at ${at.toISOString().replace(/\.\d+/, '')}${why === undefined ? '' : `: ${why}`}`
