import type { ServerResponse } from 'node:http'
import type { Database } from '../../database/database.ts'
import { deadline } from '../../flow/signals/timeout.ts'
import { oldestEvent } from '../../ledger/read/read-events.ts'
import { clientAbortSignal, SlowClientError, writeWithBackpressure } from '../response/client-stream.ts'
import type { EventFilter } from './event-buffer.ts'
import type { EventHub } from './event-hub.ts'

export interface EventStreamOptions {
  readonly hub: EventHub
  readonly database: Database
  readonly filter: EventFilter
  /** Sends the events after this one; undefined: those from now on. */
  readonly after: string | undefined
  /** Disconnects a client that reads nothing for this long. */
  readonly clientTimeoutMs: number
  /** @default 15_000 */
  readonly heartbeatMs?: number | undefined
  readonly signal: AbortSignal
}

/** Bytes written at once; no more than this waits in memory for one client. */
const CHUNK_BYTES = 65_536

/**
 * Sends events to one client until it disconnects, the signal aborts, or it reads nothing for too long. The client gets
 * the next chunk when it has read the previous one, so only one chunk waits for a slow client.
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
      const chunk =
        hub.chunkAfter(position, filter, CHUNK_BYTES) ?? (await hub.readChunkAfter(position, filter, left.signal))
      if (chunk.bytes.length > 0) await send(chunk.bytes)
      position = chunk.to
      if (position < hub.last) continue
      using heartbeat = deadline(left.signal, heartbeatMs)
      await hub.waitBeyond(position, heartbeat.signal).catch(() => left.signal.throwIfAborted())
      // With the position: a client whose filter matches few events resumes from here.
      if (hub.last <= position) await send(`id: ${position}\n: heartbeat\n\n`)
    }
  } catch (error) {
    // The client sees that the stream ends, and resumes.
    if (signal.aborted) response.end()
    else response.destroy()
    if (!left.signal.aborted && !(error instanceof SlowClientError)) throw error
  }
}

/** Returns true if events after the position were deleted, or if the position is of another ledger. */
function isGap(position: number, last: number, oldest: string | undefined): boolean {
  if (position > last) return true
  if (oldest === undefined) return position > 0 && position < last
  return position > 0 && position < Number(oldest) - 1
}
