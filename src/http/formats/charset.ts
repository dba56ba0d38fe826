// The encoding of a body's text.
import { TextDecoder } from 'node:util'
import { BrokenBodyError } from './record-parser.ts'

const UTF8 = new Set(['utf-8', 'utf8', 'us-ascii', 'ascii'])
const MARKS: readonly (readonly [mark: readonly number[], encoding: string])[] = [
  [[0xef, 0xbb, 0xbf], 'utf-8'],
  [[0xff, 0xfe], 'utf-16le'],
  [[0xfe, 0xff], 'utf-16be'],
]

/** Returns the charset that a content type states, in lower case. */
export const charsetOf = (contentType = ''): string | undefined =>
  /charset\s*=\s*"?([^\s;"]+)/i.exec(contentType)?.[1]?.toLowerCase()

/** Returns the encoding and the length of a byte order mark; undefined if there is none. */
export function markOf(bytes: Uint8Array): { readonly encoding: string; readonly length: number } | undefined {
  const found = MARKS.find(([mark]) => mark.every((byte, index) => bytes[index] === byte))
  return found && { encoding: found[1], length: found[0].length }
}

/** Turns the bytes of a body into UTF-8, as they arrive. */
export interface Transcoder {
  /** Returns the bytes that can be known now. Throws a `BrokenBodyError` for bytes without a meaning. */
  push: (bytes: Buffer) => Buffer
  end: () => Buffer
}

/**
 * Returns the transcoder of an encoding. A byte order mark decides before the name does, and is left out. Bytes that
 * claim to be UTF-8 stay as they are: a wrong one concerns its record only.
 */
export function transcoder(encoding: string | undefined): Transcoder {
  let first: Buffer | undefined = Buffer.alloc(0)
  let decoder: TextDecoder | undefined
  const start = (bytes: Buffer): Buffer => {
    first = undefined
    const mark = markOf(bytes)
    const name = mark?.encoding ?? encoding ?? 'utf-8'
    if (!UTF8.has(name)) decoder = decoderOf(name)
    return bytes.subarray(mark?.length ?? 0)
  }
  const decoded = (bytes: Buffer | undefined): Buffer => {
    if (!decoder) return bytes ?? Buffer.alloc(0)
    try {
      return Buffer.from(bytes ? decoder.decode(bytes, { stream: true }) : decoder.decode())
    } catch (cause) {
      throw new BrokenBodyError(`bytes that are not ${decoder.encoding}`, { cause })
    }
  }
  return {
    push: (bytes) => {
      if (!first) return decoded(bytes)
      first = Buffer.concat([first, bytes])
      return first.length < 3 ? Buffer.alloc(0) : decoded(start(first))
    },
    end: () => Buffer.concat([first ? decoded(start(first)) : Buffer.alloc(0), decoded(undefined)]),
  }
}

function decoderOf(encoding: string): TextDecoder {
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true })
  } catch (cause) {
    throw new BrokenBodyError(`the encoding ${JSON.stringify(encoding)}, which is not known`, { cause })
  }
}
