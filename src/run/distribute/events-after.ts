import type { Database } from '../../database/database.ts'
import { readEvents, type StoredEvent } from '../../ledger/read/read-events.ts'

/** Events that one query returns at most. */
const LIMIT = 1_000

/** Yields all events of a run that are stored after one, however many there are. */
export async function* eventsAfter(
  database: Database,
  { run, after, signal }: { readonly run: string; readonly after: string; readonly signal: AbortSignal },
): AsyncGenerator<StoredEvent> {
  let last = after
  for (;;) {
    const events = await readEvents(database, { run, after: last, limit: LIMIT, signal })
    yield* events
    last = events.at(-1)?.id ?? last
    if (events.length < LIMIT) return
  }
}
