// A response whose body is not received yet: is it read as a whole, or part by part?
import type { ApiResponse } from '../../model/request.ts'
import type { Format } from '../../model/format.ts'
import { TimeoutError } from '../../flow/signals/timeout.ts'
import { messageOf } from '../../value/error.ts'
import { formatOfBody } from '../formats/decode-body.ts'
import { connectionError, TransientError } from '../request-error.ts'
import type { BodySource } from './body-source.ts'
import { ByteReader, type Chunks } from './chunks.ts'
import { unpackStream } from './unpack-stream.ts'

type Headers = ApiResponse<unknown>['headers']

/** A body that ends within so many bytes is read as a whole. */
export const MAX_WHOLE_BYTES = 4_194_304

/** A body that is unpacked while it is received. */
export interface UnpackedBody extends Disposable {
  /** The first part. */
  readonly begin: Buffer
  /** Takes what follows it. */
  readonly reader: ByteReader
  /** It was packed, so its end proves that it is whole. */
  readonly isPacked: boolean
}

/** True if a response states where its body ends. Otherwise a closed connection ends it, complete or not. */
export const statesLength = (headers: Headers): boolean =>
  headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined

/** False for a body that is known to be small: it is received as a whole, without a stream. */
export function mayBeLarge(headers: Headers, wholeBytes: number): boolean {
  const encoding = headers['content-encoding'] ?? ''
  const isPacked = encoding !== '' || /\b(gzip|zip|octet)/.test(headers['content-type'] ?? '')
  return isPacked || !(Number(headers['content-length']) <= wholeBytes)
}

export interface OpenBodyOptions {
  readonly headers: Headers
  readonly url: string
  readonly wholeBytes: number
  /** The format that the request names. */
  readonly format: Format | undefined
  /** The body is read part by part, however small it is. */
  readonly isPartial: boolean
  /** Called with the number of bytes received so far. */
  readonly onBytes: (bytes: number) => void
}

/** Receives the first part of a body. Returns the whole body if it ends there. */
export async function openBody(source: BodySource, options: OpenBodyOptions): Promise<Buffer | UnpackedBody> {
  const { headers, url, wholeBytes, format, isPartial, onBytes } = options
  try {
    const { chunks, isPacked } = await unpackStream(receivedChunks(source), headers['content-encoding'], source.label)
    const reader = new ByteReader(chunks)
    const { bytes, isEnd } = await reader.take(wholeBytes + 1, onBytes)
    const { type } = formatOfBody(bytes, { format, contentType: headers['content-type'], url })
    // The members of an archive may be large; and only a reader of parts says that lines may have been cut off.
    const isUnproven = !statesLength(headers) && !isPacked && (type === 'csv' || type === 'ndjson')
    if (isEnd && !isPartial && !isUnproven && type !== 'zip') return bytes
    return { begin: bytes, reader, isPacked, [Symbol.dispose]: () => source[Symbol.dispose]() }
  } catch (error) {
    source[Symbol.dispose]()
    throw error
  }
}

/** Yields what is received. A connection that breaks off throws a `TransientError`. */
async function* receivedChunks(source: BodySource): Chunks {
  try {
    yield* source
  } catch (error) {
    if (source.signal.aborted) throw source.signal.reason
    if (!(error instanceof TimeoutError)) throw connectionError(error, source.label)
    throw new TransientError(messageOf(error), { location: source.label, cause: error })
  }
}
