import type { Client } from 'pg'
import { from, type CopyStreamQuery } from 'pg-copy-streams'

export type Chunks = Iterable<Uint8Array> | AsyncIterable<Uint8Array>

/** A COPY under way. */
export interface Copy {
  /** The row count of the COPY tag. */
  readonly rows: Promise<number>
  /** Tell the server that no more data comes; it answers with an error, which `rows` rejects with. */
  readonly fail: (reason: Error) => void
}

/**
 * Send statements of which the last is `copy … from stdin`, and its data after them.
 *
 * Chunks go one at a time, each awaited together with the end of the copy: once the connection or the statement has failed, the stream's
 * write callback never comes, and data still queued in it would be written to a connection that it no longer has.
 */
export function startCopy(client: Client, text: string, chunks: Chunks): Copy {
  const stream = from(text)
  // Statements before the last may answer rows; the stream knows no such messages, and the reader of the connection would throw.
  Object.assign(stream, { handleRowDescription: ignore, handleDataRow: ignore, handleEmptyQuery: ignore })
  const over = new Promise<Error | undefined>((resolve) => {
    stream.once('finish', () => resolve(undefined))
    // Not once: a copy may tell of its failure twice, and the second would be uncaught.
    stream.on('error', resolve)
  })
  client.query(stream)
  const fail = (reason: Error): void => {
    if (!stream.writableEnded) stream.destroy(reason)
  }
  return { rows: feed(stream, chunks, over), fail }
}

async function feed(stream: CopyStreamQuery, chunks: Chunks, over: Promise<Error | undefined>): Promise<number> {
  const iterator = Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]()
  try {
    for (;;) {
      const next = await Promise.race([over, iterator.next()])
      if (next === undefined || next instanceof Error) break
      if (next.done) {
        stream.end()
        break
      }
      await Promise.race([over, written(stream, next.value)])
    }
  } catch (error) {
    // The source of the chunks failed: what it said matters, not what the server answers to the end of the copy.
    stream.destroy(error instanceof Error ? error : new Error(String(error)))
    await over
    throw error
  }
  const failure = await over
  if (failure === undefined) return stream.rowCount
  // Not awaited: a source that is stuck would hold us here; its own signal has to end it.
  void (async () => iterator.return?.())().catch(ignore)
  throw failure
}

/** Settles when the chunk is on its way; a failure is told by the end of the copy. */
function written(stream: CopyStreamQuery, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    stream.write(chunk, () => resolve())
  })
}

function ignore(): void {}
