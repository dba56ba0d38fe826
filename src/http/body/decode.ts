import { isUtf8 } from 'node:buffer'
import { DecodeError } from '../../model/errors.ts'
import { redactText } from '../../observe/redact.ts'
import { messageOf } from '../../value/error.ts'
import { parseJson } from '../../value/json/parse-json.ts'
import { TransientError } from '../request-error.ts'

/** A body is quoted in messages up to this length. */
const MAX_EXCERPT_LENGTH = 160
/** Secrets are searched in this much of a body before it is cut. A cut secret could not be found. */
const EXCERPT_BYTES = 8_192

export interface DecodeOptions {
  readonly status: number
  readonly contentType: string | undefined
  /** The response states its length. Otherwise a closed connection ends it, complete or not. */
  readonly hasLength: boolean
  readonly label: string
  readonly hide: (text: string) => string
}

/**
 * Parses a body as JSON. The body decides, because many APIs state a wrong content type; the type only explains what
 * came instead of JSON.
 */
export function decodeJson(bytes: Buffer, { status, contentType, hasLength, label, hide }: DecodeOptions): unknown {
  const text = utf8(bytes, contentType)
  const typeText = contentType ?? 'no content type'
  if (text === undefined)
    throw new DecodeError(`${label} answered ${status} with bytes that are not UTF-8 (${typeText}), as JSON must be`)
  try {
    return parseJson(text)
  } catch (error) {
    const isJson = /\bjson\b/i.test(contentType ?? '')
    if (isJson && !hasLength)
      throw new TransientError(`${label} got no complete response: its JSON broke off after ${bytes.length} bytes`, {
        location: label,
      })
    const came = isJson ? 'JSON that is not valid' : `${typeText} that is no JSON`
    // The original error quotes the body, so only a redacted copy becomes the cause.
    const cause = new SyntaxError(hide(redactText(messageOf(error))))
    throw new DecodeError(
      `${label} answered ${status} with ${came}: ${excerptOf(Buffer.from(text), hide)}; ` +
        'look at the path, and at what the API wants to be sent',
      { cause },
    )
  }
}

/** Returns a body as UTF-8, or undefined if its bytes have no such meaning. */
function utf8(bytes: Buffer, contentType: string | undefined): Buffer | string | undefined {
  const charset = /charset\s*=\s*"?([^\s;"]+)/i.exec(contentType ?? '')?.[1]?.toLowerCase() ?? 'utf-8'
  if (charset === 'utf-8' || charset === 'utf8' || charset === 'us-ascii') return isUtf8(bytes) ? bytes : undefined
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes)
  } catch {
    return isUtf8(bytes) ? bytes : undefined
  }
}

/** Quotes the beginning of a body without its secrets. */
function excerptOf(text: Buffer, hide: (text: string) => string): string {
  if (text.length === 0) return 'its body is empty'
  const shown = redactText(hide(text.subarray(0, EXCERPT_BYTES).toString()))
    .replace(/\s+/g, ' ')
    .trim()
  const isCut = shown.length > MAX_EXCERPT_LENGTH
  return JSON.stringify(isCut ? `${shown.slice(0, MAX_EXCERPT_LENGTH).toWellFormed()}…` : shown)
}
