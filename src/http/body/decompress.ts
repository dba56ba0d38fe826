import { promisify } from 'node:util'
import {
  brotliDecompress,
  brotliDecompressSync,
  gunzip,
  gunzipSync,
  inflate,
  inflateSync,
  zstdDecompress,
  zstdDecompressSync,
} from 'node:zlib'
import pLimit from 'p-limit'
import { DecodeError } from '../../model/errors.ts'
import { codeOf, TransientError } from '../request-error.ts'

interface Limit {
  readonly maxOutputLength: number
}
interface Coding {
  readonly sync: (packed: Buffer, limit: Limit) => Buffer
  readonly async: (packed: Buffer, limit: Limit) => Promise<Buffer>
}

/** Up to this size, decompressing at once costs less than a thread. A larger body would block the event loop. */
const MAX_SYNC_BYTES = 262_144
/** Node has four threads for this, for host names and for files. Leave some of them free. */
const threads = pLimit(2)

const GZIP: Coding = { sync: gunzipSync, async: promisify(gunzip) }
const CODINGS: Readonly<Record<string, Coding | undefined>> = {
  gzip: GZIP,
  'x-gzip': GZIP,
  deflate: { sync: inflateSync, async: promisify(inflate) },
  br: { sync: brotliDecompressSync, async: promisify(brotliDecompress) },
  zstd: { sync: zstdDecompressSync, async: promisify(zstdDecompress) },
}

/** The header by which a request states the codings that it accepts. */
export const ACCEPT_ENCODING = 'gzip, br, zstd'

export interface DecompressOptions {
  /** The header `content-encoding`. */
  readonly encoding: string | undefined
  /** Bytes at most, however much a small body claims to hold. */
  readonly limit: number
  readonly label: string
  /** Returns the error of a body beyond the limit. */
  readonly tooLarge: () => Error
}

/** Decompresses a body by its `content-encoding`, and stops at the limit. */
export async function decompress(
  packed: Buffer,
  { encoding = '', limit, label, tooLarge }: DecompressOptions,
): Promise<Buffer> {
  const names = encoding
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'identity')
  let bytes = packed
  for (const name of names.toReversed()) {
    const coding = CODINGS[name]
    if (!coding)
      throw new DecodeError(
        `${label} answered a body packed with ${JSON.stringify(name)}, which was not accepted: ` +
          `${ACCEPT_ENCODING} can be read`,
      )
    if (bytes.length === 0) return bytes
    try {
      bytes =
        bytes.length <= MAX_SYNC_BYTES
          ? coding.sync(bytes, { maxOutputLength: limit })
          : await threads(coding.async, bytes, { maxOutputLength: limit })
    } catch (error) {
      const code = codeOf(error)
      if (code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge()
      if (code === 'Z_BUF_ERROR')
        throw new TransientError(`${label} got no complete response: its ${name} body broke off`, {
          location: label,
          cause: error,
        })
      throw new DecodeError(`${label} answered a body that is not ${name}, as its content-encoding says`, {
        cause: error,
      })
    }
  }
  return bytes
}
