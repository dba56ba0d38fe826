import type { Database } from '../database/database.ts'
import { quoteTable } from '../database/quote.ts'
import { noteChange, type Author } from '../ledger/changes.ts'
import type { StreamName } from '../ledger/stream-name.ts'
import { readCursors, resetCursor, setCursor } from '../ledger/cursors.ts'
import { findActiveSync } from '../ledger/slices/claim.ts'
import { author } from './author.ts'
import { shadowName } from '../load/shadow.ts'

/** The slice that a changed cursor has closed. */
export interface ClosedRead {
  readonly closed: boolean
  /** The run that was reading it, and fails now. */
  readonly activeRun: string | undefined
}

export interface ChangeCursorOptions {
  /** The new cursor. @default none: the stream is read from its start */
  readonly value?: string
  /** Of append without a key: the rows with exactly this value that the table has. */
  readonly boundary?: Readonly<Record<string, number>>
  /** Who changes it, and why. @default the user of this process */
  readonly by?: Author
  readonly signal?: AbortSignal
}

/**
 * Sets the cursor of a stream, or deletes it without a value. Closes the open slice of the stream with its shadow table
 * in the same transaction, because it would set the cursor to its own end.
 */
export async function changeCursor(
  database: Database,
  name: StreamName,
  { value, boundary, by = author(), signal = new AbortController().signal }: ChangeCursorOptions,
): Promise<ClosedRead> {
  const active = await findActiveSync(database, name, signal)
  await using transaction = await database.transaction({ signal })
  const [before] = await readCursors(transaction, name)
  const closed =
    value === undefined ? await resetCursor(transaction, name) : await setCursor(transaction, name, value, boundary)
  const was = before ? `, it was ${before.value}` : ''
  await noteChange(transaction, {
    ...by,
    pipeline: name.pipeline,
    stream: name.stream,
    change: (value === undefined ? 'cursor removed' : `cursor set to ${value}`) + was,
  })
  await transaction.commit(closed.map((slice) => `drop table if exists ${quoteTable(shadowName(slice))}`).join(';\n'))
  return { closed: closed.length > 0, activeRun: active && closed.includes(active.slice) ? active.run : undefined }
}

/** Returns what a command adds about the slice that it has closed. */
export function closedText({ closed, activeRun }: ClosedRead): string {
  if (activeRun !== undefined) return `; run ${activeRun}, which was reading it, fails`
  return closed ? '; an interrupted read was closed' : ''
}
