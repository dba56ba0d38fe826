import { isUtf8 } from 'node:buffer'
import { DecodeError } from '../../model/errors.ts'
import type { BodyFaults } from '../../model/scope.ts'
import { UnreadableRecord } from '../../model/unreadable-record.ts'
import { redactText } from '../../observe/redact.ts'
import { messageOf } from '../../value/error.ts'
import { parseLenientJson, type LenientJson } from '../../value/json/lenient-json.ts'
import { parseJson } from '../../value/json/parse-json.ts'
import { decodeUtf8 } from '../../value/utf8.ts'
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

export interface DecodedBody {
  readonly body: unknown
  /** Values that JSON does not know. Most bodies have none. */
  readonly faults?: BodyFaults
}

/**
 * Parses a body as JSON. The body decides, because many APIs state a wrong content type; the type only explains what
 * came instead of JSON. A body that is no whole JSON throws a `TransientError`: mostly the next one is whole.
 */
export function decodeJson(bytes: Buffer, options: DecodeOptions): DecodedBody {
  const text = utf8(bytes, options.contentType)
  if (text === undefined) return decodeLeniently(bytes, options, notUtf8(options))
  try {
    return { body: parseJson(text) }
  } catch (error) {
    return decodeLeniently(text, options, notJson(text, error, options))
  }
}

/** Returns the body. Throws a `DecodeError` if some of its values or records cannot be read. */
export function wholeBody({ body, faults }: DecodedBody): unknown {
  const [fault] = faults?.list ?? []
  if (faults && fault) throw faults.error(fault)
  const unreadable = Array.isArray(body) ? body.find((record) => record instanceof UnreadableRecord) : undefined
  if (unreadable) throw new DecodeError(unreadable.reason)
  return body
}

/** Finds the values for which a body is no JSON. `error` is the error of a body that is none at all. */
function decodeLeniently(body: Buffer | string, options: DecodeOptions, error: DecodeError): DecodedBody {
  let parsed: LenientJson
  try {
    parsed = parseLenientJson(typeof body === 'string' ? body : decodeUtf8(body))
  } catch {
    throw brokenBody(body, options, error)
  }
  const { value, faults, textOf } = parsed
  if (faults.length === 0) return { body: value }
  const { label, status } = options
  const answered = `${label} answered ${status}`
  const invalidJson = `${answered} with JSON that is not valid`
  const errorOf: BodyFaults['error'] = ({ kind, path, problem }) =>
    new DecodeError(`${{ text: error.message, number: invalidJson, depth: answered }[kind]}: ${path} ${problem}`, {
      cause: error,
    })
  return { body: value, faults: { list: faults, textOf, error: errorOf } }
}

function brokenBody(
  { length }: Buffer | string,
  { status, contentType, hasLength, label }: DecodeOptions,
  error: DecodeError,
): TransientError {
  if (isJsonType(contentType) && !hasLength)
    return new TransientError(`${label} got no complete response: its JSON broke off after ${length} bytes`, {
      location: label,
    })
  return new TransientError(error.message, { status, location: label, final: error })
}

function notUtf8({ label, status, contentType = 'no content type' }: DecodeOptions): DecodeError {
  return new DecodeError(`${label} answered ${status} with bytes that are not UTF-8 (${contentType}), as JSON must be`)
}

function notJson(
  text: Buffer | string,
  error: unknown,
  { label, status, contentType, hide }: DecodeOptions,
): DecodeError {
  const came = isJsonType(contentType)
    ? 'JSON that is not valid'
    : `${contentType ?? 'no content type'} that is no JSON`
  // The original error quotes the body, so only a redacted copy becomes the cause.
  const cause = new SyntaxError(hide(redactText(messageOf(error))))
  return new DecodeError(
    `${label} answered ${status} with ${came}: ${excerptOf(Buffer.from(text), hide)}; ` +
      'look at the path, and at what the API wants to be sent',
    { cause },
  )
}

const isJsonType = (contentType = ''): boolean => /\bjson\b/i.test(contentType)

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
