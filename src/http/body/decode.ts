import { isUtf8 } from 'node:buffer'
import { DecodeError } from '../../model/errors.ts'
import { redactText } from '../../observe/redact.ts'
import { TransientError } from '../request-error.ts'
import { messageOf } from '../../value/error.ts'
import { parseJson } from '../../value/json/parse-json.ts'

const MAX_EXCERPT_LENGTH = 160

export interface DecodeOptions {
  readonly status: number
  readonly contentType: string | undefined
  /** The answer said how long it is; else a closed connection is its end, whole or not. */
  readonly measured: boolean
  readonly label: string
  readonly hide: (text: string) => string
}

/**
 * The JSON that a body holds. Many APIs name its type wrongly, so the body decides; the type explains what came
 * instead.
 */
export function decodeJson(bytes: Buffer, { status, contentType, measured, label, hide }: DecodeOptions): unknown {
  const text = utf8(bytes, contentType)
  if (text === undefined)
    throw new DecodeError(
      `${label} answered ${status} with bytes that are not UTF-8 (${contentType ?? 'no content type'}): JSON has to be`,
    )
  try {
    return parseJson(text)
  } catch (error) {
    const isJson = /\bjson\b/i.test(contentType ?? '')
    if (isJson && !measured)
      throw new TransientError(`${label} got no whole answer: its JSON broke off after ${bytes.length} bytes`, {
        location: label,
      })
    const excerpt = excerptOf(Buffer.from(text), hide)
    const came = isJson ? 'JSON that cannot be read' : `${contentType ?? 'no content type'} that is no JSON`
    // The cause quotes the body: it is worded again, without what must not be shown.
    const cause = new SyntaxError(hide(redactText(messageOf(error))))
    throw new DecodeError(
      `${label} answered ${status} with ${came}: ${excerpt}; look at the path, and at what the API wants to be sent`,
      { cause },
    )
  }
}

/** The body as UTF-8; undefined where it would not survive. */
function utf8(bytes: Buffer, contentType: string | undefined): Buffer | string | undefined {
  const charset = /charset\s*=\s*"?([^\s;"]+)/i.exec(contentType ?? '')?.[1]?.toLowerCase() ?? 'utf-8'
  if (charset === 'utf-8' || charset === 'utf8' || charset === 'us-ascii') return isUtf8(bytes) ? bytes : undefined
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes)
  } catch {
    return isUtf8(bytes) ? bytes : undefined
  }
}

/** A few words of a body, without secrets. */
function excerptOf(text: Buffer, hide: (text: string) => string): string {
  if (text.length === 0) return 'its body is empty'
  // Secrets are looked for before the text is cut, else half of one would be left; in so much of it as may be shown.
  const shown = redactText(hide(text.subarray(0, 8_192).toString()))
    .replace(/\s+/g, ' ')
    .trim()
  return JSON.stringify(
    shown.length > MAX_EXCERPT_LENGTH ? `${shown.slice(0, MAX_EXCERPT_LENGTH).toWellFormed()}…` : shown,
  )
}
