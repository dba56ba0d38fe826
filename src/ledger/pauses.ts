// Streams that are not to be read for now. migrations/0050_pauses.sql has the table.
import type { Database } from '../database/database.ts'
import type { Queryable } from '../database/queryable.ts'
import { withoutAccount } from '../model/account.ts'
import { defined } from '../value/defined.ts'
import { storableText } from '../value/text.ts'
import { authorText, noteChange, type Author } from './changes.ts'

/** The channel that is notified of each pause. */
export const PAUSE_CHANNEL = 'sluice_pause'

/** A pipeline or a stream that is not to be read until it is continued. */
export interface Pause extends Author {
  /** Without an account, it holds for all accounts. */
  readonly pipeline: string
  /** Undefined: all streams of the pipeline. */
  readonly stream?: string
  readonly at: Date
}

/** What is paused or continued. */
export type PausedName = Pick<Pause, 'pipeline' | 'stream'>

/** Returns the pauses that hold for some pipelines, the oldest first; all of them without names. */
export async function readPauses(on: Queryable, pipelines?: readonly string[]): Promise<Pause[]> {
  const names = pipelines && [...new Set(pipelines.flatMap((name) => [name, withoutAccount(name)]))]
  const rows = await on.query<{ pipeline: string; stream: string; who: string; why: string | null; at: Date }>(
    `select pipeline, stream, paused_by as who, why, paused_at as at from sluice.pauses
      where $1::text[] is null or pipeline = any($1) order by paused_at, pipeline, stream`,
    [names],
  )
  return rows.map(({ stream, why, ...row }) => ({
    ...row,
    ...defined({ stream: stream === '' ? undefined : stream, why: why ?? undefined }),
  }))
}

/** Returns the pause that holds for a stream, that of its whole pipeline first. */
export function pauseOf(
  pauses: readonly Pause[],
  { pipeline, stream }: { readonly pipeline: string; readonly stream: string },
): Pause | undefined {
  const holds = pauses.filter(
    (one) =>
      (one.pipeline === pipeline || one.pipeline === withoutAccount(pipeline)) &&
      (one.stream === undefined || one.stream === stream),
  )
  return holds.find((one) => one.stream === undefined) ?? holds[0]
}

/** Pauses a pipeline or a stream, and wakes the runs that read it. A later pause replaces who and why. */
export async function pause(database: Database, name: PausedName, author: Author): Promise<void> {
  await using transaction = await database.transaction()
  await transaction.query(
    `insert into sluice.pauses (pipeline, stream, paused_by, why) values ($1, $2, $3, $4)
     on conflict (pipeline, stream) do update
        set paused_by = excluded.paused_by, why = excluded.why, paused_at = excluded.paused_at`,
    [name.pipeline, name.stream ?? '', storableText(author.who), author.why ?? null],
  )
  await noteChange(transaction, { ...name, ...author, change: 'paused' })
  await transaction.query(`select pg_notify('${PAUSE_CHANNEL}', '')`)
  await transaction.commit()
}

/** Ends the pauses of a stream, or those of a pipeline with those of its streams. Returns what was paused. */
export async function endPauses(database: Database, name: PausedName, author: Author): Promise<Pause[]> {
  await using transaction = await database.transaction()
  const known = await readPauses(transaction, [name.pipeline])
  const ended = known.filter(
    ({ pipeline, stream }) => pipeline === name.pipeline && (name.stream === undefined || name.stream === stream),
  )
  for (const one of ended) {
    const { pipeline, stream } = one
    await transaction.query('delete from sluice.pauses where pipeline = $1 and stream = $2', [pipeline, stream ?? ''])
    const change = `continued, after it was paused ${authorText(one)}`
    await noteChange(transaction, { pipeline, ...defined({ stream }), ...author, change })
  }
  await transaction.commit()
  return ended
}

/** `shop` or `shop.orders`. */
export const pausedName = ({ pipeline, stream }: PausedName): string =>
  stream === undefined ? pipeline : `${pipeline}.${stream}`

/** Returns a sentence about a pause, with how to end it. */
export const pauseText = (one: Pause): string =>
  `${pausedName(one)} is paused ${authorText(one)}. To go on: sluice continue ${pausedName(one)}`
