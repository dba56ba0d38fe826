import { setImmediate } from 'node:timers/promises'
import type { Client } from 'pg'
import { toError } from '../value/error.ts'
import { from, type CopyStreamQuery } from 'pg-copy-streams'

export type Chunks = Iterable<Uint8Array> | AsyncIterable<Uint8Array>

const OVER = Symbol('over')
/** After this many bytes, the event loop gets a turn. */
const POLL_BYTES = 1 << 18

/** A running COPY. */
export interface Copy {
  /** Resolves with the row count of the COPY tag. */
  readonly rows: Promise<number>
  /** Sends CopyFail. The server answers with an error, with which `rows` rejects. */
  readonly fail: (reason: Error) => void
}

/**
 * Sends statements of which the last is `copy … from stdin`, and then its data.
 *
 * Chunks are sent one at a time, and each write is awaited together with the end of the copy. After the connection or
 * the statement has failed, the write callback never comes, and queued data would be written to a lost connection.
 */
export function startCopy(client: Client, text: string, chunks: Chunks): Copy {
  const stream = from(text)
  // Statements before the last may return rows. The stream has no handlers for them, and the driver would throw.
  Object.assign(stream, { handleRowDescription: ignore, handleDataRow: ignore, handleEmptyQuery: ignore })
  const over = new Promise<Error | undefined>((resolve) => {
    stream.once('finish', () => resolve(undefined))
    // Not `once`: a copy may emit two errors, and the second would be uncaught.
    stream.on('error', resolve)
  })
  client.query(stream)
  const fail = (reason: Error): void => {
    if (!stream.writableEnded) stream.destroy(reason)
  }
  return { rows: sendChunks(stream, chunks, over), fail }
}

async function sendChunks(stream: CopyStreamQuery, chunks: Chunks, over: Promise<Error | undefined>): Promise<number> {
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
      if ((await before(write(stream, next.value))) === OVER) break
      // If the network accepts every write at once, nothing here waits, and an error of the server would never be read.
      unpolled += next.value.length
      if (unpolled >= POLL_BYTES) {
        unpolled = 0
        await setImmediate()
      }
    }
  } catch (error) {
    // The source of the chunks failed. Its error is thrown, not the server's answer to CopyFail.
    stream.destroy(toError(error))
    await over
    throw error
  }
  const failure = await over
  if (failure === undefined) return stream.rowCount
  // Not awaited: a source that hangs would block here. Its own signal has to end it.
  void (async () => iterator.return?.())().catch(ignore)
  throw failure
}

/**
 * Returns a function that waits for a step or for the end of the copy. Unlike `Promise.race`, it does not add a handler
 * to the promise of the copy at each step.
 */
function untilOver(over: Promise<Error | undefined>): <T>(step: T | PromiseLike<T>) => Promise<T | typeof OVER> {
  let isOver = false
  let stopWaiting: (() => void) | undefined
  const end = async (): Promise<void> => {
    await over
    isOver = true
    stopWaiting?.()
  }
  void end()
  return async <T>(step: T | PromiseLike<T>) => {
    if (isOver) return OVER
    return new Promise<T | typeof OVER>((resolve, reject) => {
      stopWaiting = () => resolve(OVER)
      Promise.resolve(step).then(resolve, reject)
    })
  }
}

/** Resolves when a chunk is sent. A failure ends the copy. */
function write(stream: CopyStreamQuery, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    stream.write(chunk, () => resolve())
  })
}

function ignore(): void {}
