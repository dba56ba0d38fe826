import { clearParentCursors } from '../../ledger/parent-cursors.ts'
import type { StreamContext } from '../stream-context.ts'

/** Forgets the cursors of a stream's child lists, before everything is read again. */
export const clearLists = (stream: StreamContext): Promise<void> =>
  clearParentCursors(stream.database.with({ signal: stream.readSignal }), stream)
