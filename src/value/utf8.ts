// Bytes that should be UTF-8, and may hold some that are not.
import { isUtf8 } from 'node:buffer'

/** A byte that is no UTF-8 becomes this code plus its value: half of a surrogate pair, which no valid text has. */
const ESCAPED_BYTE = 0xdc00
const ESCAPED = /[\udc80-\udcff]/u

/**
 * Decodes UTF-8. A byte that is not UTF-8 becomes half of a surrogate pair, U+DC80 to U+DCFF, as Python's
 * `surrogateescape` does: no other byte is lost, and the text shows that it is not valid.
 */
export function decodeUtf8(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString()
  const parts: string[] = []
  let validFrom = 0
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes, at)
    if (length > 0) {
      at += length
      continue
    }
    parts.push(bytes.toString('utf8', validFrom, at), String.fromCharCode(ESCAPED_BYTE + byteAt(bytes, at)))
    at += 1
    validFrom = at
  }
  parts.push(bytes.toString('utf8', validFrom))
  return parts.join('')
}

/** Returns the first byte of a text that was not UTF-8, such as `0xff`; undefined if it had none. */
export function invalidByte(text: string): string | undefined {
  // With the flag `u`, only a surrogate without its partner matches.
  const [escaped] = ESCAPED.exec(text) ?? []
  return escaped === undefined ? undefined : `0x${(escaped.charCodeAt(0) - ESCAPED_BYTE).toString(16)}`
}

/** The least and the greatest second byte of a sequence, by its first byte. Those that follow are 0x80 to 0xbf. */
function secondByteRange(first: number): readonly [least: number, most: number] {
  if (first === 0xe0) return [0xa0, 0xbf]
  if (first === 0xed) return [0x80, 0x9f]
  if (first === 0xf0) return [0x90, 0xbf]
  return first === 0xf4 ? [0x80, 0x8f] : [0x80, 0xbf]
}

/** Returns the number of bytes of the character that begins here, 0 if none does. */
function sequenceLength(bytes: Buffer, at: number): number {
  const first = byteAt(bytes, at)
  if (first < 0x80) return 1
  if (first < 0xc2 || first > 0xf4) return 0
  const [least, most] = secondByteRange(first)
  const second = byteAt(bytes, at + 1)
  if (second < least || second > most) return 0
  if (first < 0xe0) return 2
  if (!isContinuation(byteAt(bytes, at + 2))) return 0
  if (first < 0xf0) return 3
  return isContinuation(byteAt(bytes, at + 3)) ? 4 : 0
}

const isContinuation = (byte: number): boolean => byte >= 0x80 && byte <= 0xbf

/** Returns 0 behind the end. */
const byteAt = (bytes: Buffer, at: number): number => bytes[at] ?? 0
