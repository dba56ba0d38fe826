import type { ServerResponse } from 'node:http'
import type { Database } from '../../database/database.ts'
import { deadline } from '../../flow/signals/timeout.ts'
import { oldestEvent } from '../../ledger/read/read-events.ts'
import type { EventFilter, EventHub } from './event-hub.ts'
import { clientAbortSignal, SlowClientError, writeWithBackpressure } from '../response/client-stream.ts'

export interface EventStreamOptions {
  readonly hub: EventHub
  readonly database: Database
  readonly filter: EventFilter
  /** Those after this one; undefined: those from now on. */
  readonly after: string | undefined
  /** Who takes nothing for so long is cut off. */
  readonly clientTimeoutMs: number
  /** @default 15_000 */
  readonly heartbeatMs?: number | undefined
  readonly signal: AbortSignal
}

/** What is handed to a client's socket at once; no more than this waits for it here. */
const PIECE_BYTES = 65_536

/**
 * Send the events that one client wants, until it leaves, the signal aborts, or it takes nothing any more. It is given
 * the next piece when it has taken the last one, from where it is: so a slow one is behind, and what waits for it is
 * one piece.
 */
export async function streamEvents(
  response: ServerResponse,
  { hub, database, filter, after, clientTimeoutMs, heartbeatMs = 15_000, signal }: EventStreamOptions,
): Promise<void> {
  using left = clientAbortSignal(response, signal)
  const send = (bytes: Buffer | string): Promise<void> =>
    writeWithBackpressure(response, bytes, clientTimeoutMs, left.signal)
  try {
    let position = after === undefined ? hub.last : Number(after)
    if (after !== undefined && position !== hub.last) {
      const oldest = await oldestEvent(database)
      if (isGap(position, hub.last, oldest)) {
        await send(`event: gap\ndata: ${JSON.stringify({ after, oldest: oldest ?? null })}\n\n`)
        if (position > hub.last) position = hub.last
      }
    }
    // With the position: a client that is cut off before its first event resumes from here.
    await send(`retry: 1000\nid: ${position}\n\n`)
    for (;;) {
      const piece =
        hub.chunkAfter(position, filter, PIECE_BYTES) ?? (await hub.readChunkAfter(position, filter, left.signal))
      if (piece.bytes.length > 0) await send(piece.bytes)
      position = piece.to
      if (position < hub.last) continue
      using beat = deadline(left.signal, heartbeatMs)
      await hub.waitBeyond(position, beat.signal).catch(() => left.signal.throwIfAborted())
      // With the place, so that who filters resumes from here.
      if (hub.last <= position) await send(`id: ${position}\n: beat\n\n`)
    }
  } catch (error) {
    // Nothing more can be said to it: it sees that the stream ends, and resumes.
    if (signal.aborted) response.end()
    else response.destroy()
    if (!left.signal.aborted && !(error instanceof SlowClientError)) throw error
  }
}

/** Events that it has not seen are no longer kept, or it comes from another ledger. */
function isGap(position: number, last: number, oldest: string | undefined): boolean {
  if (position > last) return true
  return oldest === undefined ? position > 0 && position < last : position > 0 && position < Number(oldest) - 1
}
