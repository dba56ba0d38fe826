import { exactNumber } from '../decimal-text.ts'
import { parseInParts } from './parse-in-parts.ts'

/** A double keeps 15 significant digits of any number. A number of 16 characters may change. */
const AT_RISK = 16
/** A shorter number may change too, if its exponent has three digits: 1e400 and 1e-400 are no doubles. */
const LONG_EXPONENT = /\d[eE][+-]?\d{3,}(?:[\s,\]}]|$)/
/** The least number that a double keeps with all its digits. */
const MIN_NORMAL = 2.3e-308
const NUMERIC = tableOf('0123456789+-.eE')
const BEFORE = tableOf(':[, \n\r\t')
const AFTER = tableOf(',]} \n\r\t')
const MINUS = 45

/**
 * Parses JSON so that no number changes: an integer beyond 2^53 becomes a `bigint`, a decimal that a double would
 * change becomes a `Decimal`. A reviver costs ten times the parsing, so it runs only for a body with a number of 16
 * characters or more, or with an exponent of three digits. To find a long number, every 16th byte is examined.
 */
export function parseJson(input: Uint8Array | string): unknown {
  const bytes =
    typeof input === 'string' ? Buffer.from(input) : Buffer.from(input.buffer, input.byteOffset, input.byteLength)
  const unmarked = isMarked(bytes) ? bytes.subarray(3) : bytes
  return parseInParts(unmarked, parsePart) ?? parsePart(unmarked)
}

function parsePart(bytes: Buffer): unknown {
  const text = bytes.toString()
  return hasLongNumber(bytes) || LONG_EXPONENT.test(text) ? JSON.parse(text, revive) : JSON.parse(text)
}

/** Returns true if the body begins with a byte order mark. */
function isMarked(bytes: Uint8Array): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf
}

/* oxlint-disable typescript/no-non-null-assertion -- Each index was compared with the length. This is the hottest loop
   of reading. */
function hasLongNumber(bytes: Uint8Array): boolean {
  const { length } = bytes
  for (let probe = AT_RISK - 1; probe < length; probe += AT_RISK) {
    if (NUMERIC[bytes[probe]!] === 0) continue
    let from = probe
    while (from > 0 && NUMERIC[bytes[from - 1]!] === 1) from -= 1
    let to = probe + 1
    while (to < length && NUMERIC[bytes[to]!] === 1) to += 1
    if (to - from < AT_RISK) continue
    // Long digits inside a string, such as an identifier or a time, are not a number.
    const first = bytes[from]!
    if (
      (first === MINUS || (first >= 48 && first <= 57)) &&
      (from === 0 || BEFORE[bytes[from - 1]!] === 1) &&
      (to === length || AFTER[bytes[to]!] === 1)
    )
      return true
    probe = to
  }
  return false
}
/* oxlint-enable typescript/no-non-null-assertion */

function revive(_name: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || context?.source === undefined) return value
  const { source } = context
  return source.length < AT_RISK && isNormal(value) ? value : exactNumber(source)
}

const isNormal = (value: number): boolean => Number.isFinite(value) && Math.abs(value) >= MIN_NORMAL

function tableOf(characters: string): Uint8Array {
  const table = new Uint8Array(256)
  for (const character of characters) table[character.charCodeAt(0)] = 1
  return table
}
