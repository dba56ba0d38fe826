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
  readonly now: (packed: Buffer, limit: Limit) => Buffer
  readonly later: (packed: Buffer, limit: Limit) => Promise<Buffer>
}

/** Below this, unpacking at once is cheaper than a thread; above, it would hold up the others. */
const MAX_SYNC_BYTES = 262_144
/** Node has four threads for this, for looking up hosts and for files: some stay free. */
const threads = pLimit(2)

const GZIP: Coding = { now: gunzipSync, later: promisify(gunzip) }
const CODINGS: Readonly<Record<string, Coding | undefined>> = {
  gzip: GZIP,
  'x-gzip': GZIP,
  deflate: { now: inflateSync, later: promisify(inflate) },
  br: { now: brotliDecompressSync, later: promisify(brotliDecompress) },
  zstd: { now: zstdDecompressSync, later: promisify(zstdDecompress) },
}

/** What an API may pack its answers with. */
export const ACCEPT_ENCODING = 'gzip, br, zstd'

/**
 * A body unpacked, as its `content-encoding` says; unpacking stops at the limit, however much a few bytes claim to
 * hold.
 */
export async function decompress(
  packed: Buffer,
  {
    encoding = '',
    limit,
    label,
    tooLarge,
  }: { encoding: string | undefined; limit: number; label: string; tooLarge: () => Error },
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
        `${label} answered a body packed with ${JSON.stringify(name)}, which was not asked for: ${ACCEPT_ENCODING} can be read`,
      )
    if (bytes.length === 0) return bytes
    try {
      bytes =
        bytes.length <= MAX_SYNC_BYTES
          ? coding.now(bytes, { maxOutputLength: limit })
          : await threads(coding.later, bytes, { maxOutputLength: limit })
    } catch (error) {
      const code = codeOf(error)
      if (code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge()
      if (code === 'Z_BUF_ERROR')
        throw new TransientError(`${label} got no whole answer: its ${name} body broke off`, {
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
