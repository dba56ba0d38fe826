// A whole body, from bytes to its value.
import { DecodeError } from '../../model/errors.ts'
import type { Format, TextFormat } from '../../model/format.ts'
import { redactText } from '../../observe/redact.ts'
import { decodeJson, type DecodedBody, type DecodeOptions } from '../body/decode.ts'
import { TransientError } from '../request-error.ts'
import { charsetOf, transcoder } from './charset.ts'
import { formatByName, statedFormat } from './format-of.ts'
import { openParser } from './open-parser.ts'
import { BrokenBodyError } from './record-parser.ts'

export interface DecodeBodyOptions extends DecodeOptions {
  /** The format that the request names. @default by the response */
  readonly format: Format | undefined
  readonly url: string
  /** The path of the records, if it is one. */
  readonly records: string | undefined
  readonly maxBytes: number
}

/** The body, and its records where the format finds them itself. */
export interface DecodedFormat extends DecodedBody {
  readonly records?: readonly unknown[]
}

/** Returns the format of a body by its first bytes, and by what the request and the response say. */
export function formatOfBody(
  begin: Buffer,
  { format, contentType, url }: Pick<DecodeBodyOptions, 'format' | 'contentType' | 'url'>,
): Format {
  if (format) return format
  const stated = statedFormat(contentType, url)
  return looksLikeJson(begin, stated) ? { type: 'json' } : stated
}

/**
 * Decodes a body. Without a word of the request the content type decides, unless the body turns out to be JSON, as some
 * APIs state a wrong type. Throws a `TransientError` for a broken body: mostly the next one is whole.
 */
export async function decodeBody(bytes: Buffer, options: DecodeBodyOptions): Promise<DecodedFormat> {
  const { format, contentType, url } = options
  if (format) return decodeAs(format, bytes, options)
  const stated = statedFormat(contentType, url)
  if (stated.type === 'json') return decodeJson(bytes, options)
  if (looksLikeJson(bytes, stated)) {
    try {
      return decodeJson(bytes, options)
    } catch {
      /* It only begins like JSON. */
    }
  }
  return decodeAs(stated, bytes, options)
}

async function decodeAs(format: Format, bytes: Buffer, options: DecodeBodyOptions): Promise<DecodedFormat> {
  try {
    if (format.type === 'zip') return await decodeZip(format, bytes, options)
    return await decodeText(format, bytes, options)
  } catch (error) {
    throw error instanceof BrokenBodyError ? brokenBody(error, options) : error
  }
}

async function decodeText(format: TextFormat, bytes: Buffer, options: DecodeBodyOptions): Promise<DecodedFormat> {
  const { contentType, records, maxBytes } = options
  if (format.type === 'json') {
    const encoding = format.encoding ?? charsetOf(contentType)
    if (encoding === undefined || encoding === charsetOf(contentType)) return decodeJson(bytes, options)
    const text = transcoder(encoding)
    return decodeJson(Buffer.concat([text.push(bytes), text.end()]), { ...options, contentType: 'application/json' })
  }
  const parser = await openParser(format, { contentType, records, maxRecordBytes: maxBytes })
  const first = await parser.push(bytes)
  const last = await parser.end()
  const found = [...first.records(0), ...last.records(0)]
  if (parser.envelope === undefined) return { body: found, ...(records === '' && { records: found }) }
  // The place of the records has an empty list, so what is found there shows whether the path leads to a list.
  return { body: filled(parser.envelope, records, found), ...(found.length > 0 && { records: found }) }
}

async function decodeZip(
  { member, format }: Extract<Format, { type: 'zip' }>,
  bytes: Buffer,
  options: DecodeBodyOptions,
): Promise<DecodedFormat> {
  const { zipMembers } = await import('./zip-members.ts')
  const bodies: DecodedFormat[] = []
  for await (const { name, read } of zipMembers(bytes, member)) {
    const chunks: Buffer[] = []
    let length = 0
    for await (const chunk of read()) {
      length += chunk.length
      if (length > options.maxBytes) throw tooLarge(options)
      chunks.push(chunk)
    }
    const stated = format ?? formatByName(name) ?? { type: 'json' as const }
    if (stated.type === 'zip') throw new BrokenBodyError(`a zip archive in a zip archive, ${JSON.stringify(name)}`)
    bodies.push(await decodeText(stated, Buffer.concat(chunks), { ...options, contentType: undefined }))
  }
  const [first] = bodies
  if (first && bodies.length === 1) return first
  const lists = bodies.map(({ body, faults }) => (Array.isArray(body) && !faults ? (body as unknown[]) : undefined))
  if (lists.includes(undefined))
    throw new BrokenBodyError(
      "a zip archive with several members that are no lists; name one, as in zip({ member: 'a.json' })",
    )
  const body = lists.flatMap((list) => list ?? [])
  return { body }
}

/** Returns the body with the records in the empty list that stands for them. */
function filled(body: unknown, path: string | undefined, records: readonly unknown[]): unknown {
  if (path === undefined || path === '' || records.length === 0) return body
  let holder: unknown = body
  for (let rest = path; ;) {
    if (Array.isArray(holder) || typeof holder !== 'object' || holder === null) return body
    const members = holder as Record<string, unknown>
    if (Array.isArray(members[rest])) {
      members[rest] = records
      return body
    }
    const [name = ''] = rest.split('.', 1)
    if (name === rest) return body
    holder = members[name]
    rest = rest.slice(name.length + 1)
  }
}

/** Returns the error of a body that has not its format. The next try may bring a whole one. */
export function brokenBody(
  error: BrokenBodyError,
  { status, hasLength, label, hide }: Pick<DecodeBodyOptions, 'status' | 'hasLength' | 'label' | 'hide'>,
): Error {
  const problem = hide(redactText(error.message))
  if (error.isCut && !hasLength)
    return new TransientError(`${label} got no complete response: ${problem}`, {
      location: label,
    })
  const message = `${label} answered ${status} with ${problem}`
  return new TransientError(message, { status, location: label, final: new DecodeError(message, { cause: error }) })
}

const tooLarge = ({ label, maxBytes }: DecodeBodyOptions): DecodeError =>
  new DecodeError(
    `${label} answered a zip archive with a member of more than ${maxBytes} bytes: raise the API's maxPageSize`,
  )

/** True for a body that begins like JSON and that the stated format would not begin so. */
function looksLikeJson(bytes: Buffer, { type }: Format): boolean {
  const begin = /^\s*([[{])/.exec(
    bytes
      .subarray(0, 64)
      .toString('latin1')
      .replace(/^\u00ef\u00bb\u00bf/, ''),
  )?.[1]
  // Each line of NDJSON may be an object.
  return begin !== undefined && (type !== 'ndjson' || begin === '[')
}
