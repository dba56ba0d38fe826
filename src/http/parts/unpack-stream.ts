// Unpacks a body while it is received.
import { pipeline, Readable, type Transform } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib'
import { DecodeError } from '../../model/errors.ts'
import { ACCEPT_ENCODING } from '../body/decompress.ts'
import { codeOf, TransientError } from '../request-error.ts'
import { prepended, type Chunks } from './chunks.ts'

const UNPACKERS: Readonly<Record<string, (() => Transform) | undefined>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
}
/** Codings whose bodies begin with bytes that no text begins with. */
const MARKED: readonly (readonly [name: string, mark: Buffer])[] = [
  ['gzip', Buffer.from([0x1f, 0x8b])],
  ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
]
const MARK_BYTES = 4
/** Codings of one body that are undone although no header names them. */
const MAX_UNNAMED = 2

export interface Unpacked {
  readonly chunks: Chunks
  /** The body was packed, so its end proves that it is whole. */
  readonly isPacked: boolean
}

/** Unpacks by the header `content-encoding`, and what begins as a packed file does. */
export async function unpackStream(received: Chunks, encoding: string | undefined, label: string): Promise<Unpacked> {
  const names = (encoding ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'identity')
  let { begin, chunks } = await peeked(received)
  let isPacked = false
  for (const name of names.toReversed()) {
    // A body that is a text has not the coding that its header names.
    const mark = MARKED.find(([marked]) => marked === name || `x-${marked}` === name)?.[1]
    if (mark ? !begin.subarray(0, mark.length).equals(mark) : isText(begin)) continue
    const open = UNPACKERS[name]
    if (!open)
      throw new DecodeError(
        `${label} answered a body packed with ${JSON.stringify(name)}, which was not accepted: ` +
          `${ACCEPT_ENCODING} can be read`,
      )
    isPacked = true
    ;({ begin, chunks } = await peeked(through(chunks, open(), name, label)))
  }
  for (let count = 0; count < MAX_UNNAMED; count += 1) {
    const [name = ''] = MARKED.find(([, mark]) => begin.subarray(0, mark.length).equals(mark)) ?? []
    const open = UNPACKERS[name]
    if (!open) break
    isPacked = true
    ;({ begin, chunks } = await peeked(through(chunks, open(), name, label)))
  }
  return { chunks, isPacked }
}

/** Returns the first bytes, and all chunks. */
async function peeked(chunks: Chunks): Promise<{ begin: Buffer; chunks: Chunks }> {
  let begin: Buffer = Buffer.alloc(0)
  while (begin.length < MARK_BYTES) {
    const step = await chunks.next()
    if (step.done) break
    begin = Buffer.concat([begin, step.value])
  }
  return { begin, chunks: prepended(begin, chunks) }
}

async function* through(chunks: Chunks, unpacker: Transform, name: string, label: string): Chunks {
  const input = Readable.from(chunks, { objectMode: false })
  // An error of either side ends the other one, and the loop below throws it.
  pipeline(input, unpacker, () => {})
  try {
    for await (const chunk of unpacker) yield chunk as Buffer
  } catch (error) {
    throw problemOf(error, name, label)
  } finally {
    input.destroy()
    unpacker.destroy()
  }
}

function problemOf(error: unknown, name: string, label: string): unknown {
  const code = codeOf(error)
  if (code === 'Z_BUF_ERROR' || code === 'ERR_STREAM_PREMATURE_CLOSE')
    return new TransientError(`${label} got no complete response: its body, packed with ${name}, broke off`, {
      location: label,
      cause: error,
    })
  if (!/^(Z_|ZSTD_|ERR__?ERROR|ERR_BROTLI|ERR_ZSTD)/.test(code)) return error
  return new DecodeError(`${label} answered a body that is not ${name}`, { cause: error })
}

/** True if the first bytes are no control characters. Packed bytes mostly have some. */
const isText = (bytes: Buffer): boolean => bytes.every((byte) => byte >= 0x20 || (byte >= 0x09 && byte <= 0x0d))
