import { setImmediate } from 'node:timers/promises'
import type { Client } from 'pg'
import { toError } from '../value/error.ts'
import { from, type CopyStreamQuery } from 'pg-copy-streams'

export type Chunks = Iterable<Uint8Array> | AsyncIterable<Uint8Array>

const OVER = Symbol('over')
/** Sent in one go before the event loop is let on. */
const POLL_BYTES = 1 << 18

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
 * Chunks go one at a time, each awaited together with the end of the copy: once the connection or the statement has
 * failed, the stream's write callback never comes, and data still queued in it would be written to a connection that it
 * no longer has.
 */
export function startCopy(client: Client, text: string, chunks: Chunks): Copy {
  const stream = from(text)
  // Statements before the last may answer rows; the stream knows no such messages, and the reader of the connection
  // would throw.
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
  const before = untilOver(over)
  let unpolled = 0
  try {
    for (;;) {
      const next = await before(iterator.next())
      if (next === OVER) break
      if (next.done) {
        stream.end()
        break
      }
      if ((await before(written(stream, next.value))) === OVER) break
      // While the network takes everything at once nothing here waits for it, and the server's error would never be
      // read.
      unpolled += next.value.length
      if (unpolled >= POLL_BYTES) {
        unpolled = 0
        await setImmediate()
      }
    }
  } catch (error) {
    // The source of the chunks failed: what it said matters, not what the server answers to the end of the copy.
    stream.destroy(toError(error))
    await over
    throw error
  }
  const failure = await over
  if (failure === undefined) return stream.rowCount
  // Not awaited: a source that is stuck would hold us here; its own signal has to end it.
  void (async () => iterator.return?.())().catch(ignore)
  throw failure
}

/**
 * Waits for a step, but no longer than the copy lasts; unlike a race it leaves nothing behind on the copy's promise,
 * step after step.
 */
function untilOver(over: Promise<Error | undefined>): <T>(step: T | PromiseLike<T>) => Promise<T | typeof OVER> {
  let isOver = false
  let leave: (() => void) | undefined
  const end = async (): Promise<void> => {
    await over
    isOver = true
    leave?.()
  }
  void end()
  return async <T>(step: T | PromiseLike<T>) => {
    if (isOver) return OVER
    return new Promise<T | typeof OVER>((resolve, reject) => {
      leave = () => resolve(OVER)
      Promise.resolve(step).then(resolve, reject)
    })
  }
}

/** Settles when the chunk is on its way; a failure is told by the end of the copy. */
function written(stream: CopyStreamQuery, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    stream.write(chunk, () => resolve())
  })
}

function ignore(): void {}
