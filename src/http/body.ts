import type { Dispatcher } from 'undici'
import { DecodeError } from '../model/errors.ts'
import { decompress } from './decompress.ts'

type Body = Dispatcher.ResponseData['body']

/** A failed answer's body is read so far to keep its connection; a longer or slower one is not worth it. */
const DISCARDED = { bytes: 65_536, ms: 2_000 }

export interface ReadBodyOptions {
  /** Its content-encoding. */
  readonly encoding: string | undefined
  /** Its content-length. */
  readonly length: string | undefined
  readonly limit: number
  readonly place: string
  /** Told how many bytes have come so far. */
  readonly onBytes?: (bytes: number) => void
}

/** The decoded bytes of a body, never more than `limit`: a body that is larger, packed or not, is cancelled. */
export async function readBody(body: Body, { encoding, length, limit, place, onBytes }: ReadBodyOptions): Promise<Buffer> {
  const tooLarge = (): DecodeError => new DecodeError(`${place} answered more than ${limit} bytes: ask for smaller pages, or raise the API's pageBytes`)
  if (Number(length) > limit) {
    cancel(body)
    throw tooLarge()
  }
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length
    // Leaving the loop destroys the body, and its connection with it.
    if (bytes > limit) throw tooLarge()
    onBytes?.(bytes)
    chunks.push(chunk)
  }
  const packed = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, bytes)
  return decompress(packed, { encoding, limit, place, tooLarge })
}

/** Get rid of a body that nobody reads: an unread one would hold its connection for ever. */
export async function discard(body: Body): Promise<void> {
  try {
    await body.dump({ limit: DISCARDED.bytes, signal: AbortSignal.timeout(DISCARDED.ms) })
  } catch {
    // Whatever became of it, the connection is free or closed by now.
    cancel(body)
  }
}

function cancel(body: Body): void {
  body.on('error', () => {}).destroy()
}
