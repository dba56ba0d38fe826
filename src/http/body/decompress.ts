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
  readonly name: string
  readonly sync: (packed: Buffer, limit: Limit) => Buffer
  readonly async: (packed: Buffer, limit: Limit) => Promise<Buffer>
  /** The first bytes of every body with this coding. */
  readonly magic?: Buffer
}

/** Up to this size, decompressing at once costs less than a thread. A larger body would block the event loop. */
const MAX_SYNC_BYTES = 262_144
/** Node has four threads for this, for host names and for files. Leave some of them free. */
const threads = pLimit(2)
/** Codings of one body that are undone although no header names them. */
const MAX_UNNAMED = 2

const GZIP: Coding = {
  name: 'gzip',
  sync: gunzipSync,
  async: promisify(gunzip),
  magic: Buffer.from([0x1f, 0x8b]),
}
const ZSTD: Coding = {
  name: 'zstd',
  sync: zstdDecompressSync,
  async: promisify(zstdDecompress),
  magic: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]),
}
/** Codings whose bodies begin with bytes that no text begins with. */
const MARKED = [GZIP, ZSTD]
const CODINGS: Readonly<Record<string, Coding | undefined>> = {
  gzip: GZIP,
  'x-gzip': GZIP,
  deflate: { name: 'deflate', sync: inflateSync, async: promisify(inflate) },
  br: { name: 'br', sync: brotliDecompressSync, async: promisify(brotliDecompress) },
  zstd: ZSTD,
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

/**
 * Decompresses a body by its `content-encoding`, and stops at the limit. The bytes decide if they differ from the
 * header: a body that is not packed is returned as it is, and one that is packed without a header is unpacked.
 */
export async function decompress(packed: Buffer, options: DecompressOptions): Promise<Buffer> {
  let bytes = packed
  for (const name of namesIn(options.encoding).toReversed()) {
    if (bytes.length === 0) return bytes
    bytes = await unpackAs(name, bytes, options)
  }
  for (let count = 0; count < MAX_UNNAMED; count += 1) {
    const coding = MARKED.find((one) => beginsAs(bytes, one))
    if (!coding) break
    bytes = await unpack(coding, bytes, options)
  }
  return bytes
}

function namesIn(encoding = ''): string[] {
  return encoding
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'identity')
}

/** Undoes one coding that the header names, unless the bytes show that they do not have it. */
async function unpackAs(name: string, bytes: Buffer, options: DecompressOptions): Promise<Buffer> {
  const coding = CODINGS[name]
  if (!coding) {
    if (isText(bytes)) return bytes
    throw new DecodeError(
      `${options.label} answered a body packed with ${JSON.stringify(name)}, which was not accepted: ` +
        `${ACCEPT_ENCODING} can be read`,
    )
  }
  if (beginsAs(bytes, coding)) return unpack(coding, bytes, options)
  try {
    return await unpack(coding, bytes, options)
  } catch (error) {
    // Bytes of another coding are found by their own beginning. The error of a body beyond the limit has no cause.
    const isOther = isText(bytes) || MARKED.some((other) => beginsAs(bytes, other))
    if (isOther && Error.isError(error) && error.cause !== undefined) return bytes
    throw error
  }
}

async function unpack({ name, ...coding }: Coding, bytes: Buffer, options: DecompressOptions): Promise<Buffer> {
  const { limit, label, tooLarge } = options
  try {
    return bytes.length <= MAX_SYNC_BYTES
      ? coding.sync(bytes, { maxOutputLength: limit })
      : await threads(coding.async, bytes, { maxOutputLength: limit })
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge()
    if (code === 'Z_BUF_ERROR')
      throw new TransientError(`${label} got no complete response: its body, packed with ${name}, broke off`, {
        location: label,
        cause: error,
      })
    throw new DecodeError(`${label} answered a body that is not ${name}, as its content-encoding says`, {
      cause: error,
    })
  }
}

const beginsAs = (bytes: Buffer, { magic }: Coding): boolean =>
  magic !== undefined && bytes.subarray(0, magic.length).equals(magic)

/** True if the first bytes are no control characters. Packed bytes mostly have some. */
const isText = (bytes: Buffer): boolean =>
  bytes.subarray(0, 64).every((byte) => byte >= 0x20 || (byte >= 0x09 && byte <= 0x0d))
