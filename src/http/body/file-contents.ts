// The contents of the files of a multipart form, as one request sends them.
import { UsageError } from '../../model/errors.ts'
import { isFilledIn } from '../../model/bounds-in.ts'
import type { FilePart, FileParts } from '../../model/file-part.ts'
import type { PageRequest } from '../../model/request.ts'
import { messageOf } from '../../value/error.ts'
import type { MultipartFile } from './multipart-body.ts'

/** A form without the texts that are contents of files, and the files. */
export interface FilledForm {
  readonly form: PageRequest['form']
  readonly files: readonly MultipartFile[]
}

/**
 * Calls the functions that return contents. A file with bounds has its content in the request's form; without that end
 * of the range it is left out. Throws a UsageError that names a function that threw, or returned something else.
 */
export async function fillFiles(
  { form, method, url }: Pick<PageRequest, 'form' | 'method' | 'url'>,
  parts: FileParts | undefined,
): Promise<FilledForm> {
  if (parts === undefined) return { form, files: [] }
  const rest = { ...form }
  const files: MultipartFile[] = []
  for (const [field, given] of Object.entries(parts)) {
    for (const part of [given].flat()) {
      const place = `${method} ${url.split(/[?#]/, 1)[0]}: the file of multipart.${field}`
      const text = rest[field]
      if (isFilledIn(part.content)) delete rest[field]
      const content = await contentOf(part, typeof text === 'string' ? text : undefined, place)
      if (content === undefined) continue
      const isText = typeof content === 'string'
      files.push({
        field,
        bytes: isText ? Buffer.from(content) : content,
        filename: part.filename === false ? undefined : (part.filename ?? field),
        contentType: part.contentType ?? (isText ? 'text/plain; charset=utf-8' : 'application/octet-stream'),
      })
    }
  }
  return { form: rest, files }
}

async function contentOf(
  { content, encoding }: FilePart,
  filledIn: string | undefined,
  place: string,
): Promise<string | Buffer | undefined> {
  if (typeof content === 'string') return encoding ? Buffer.from(content, encoding) : content
  if (typeof content !== 'function') return filledIn
  let returned: unknown
  try {
    returned = await content()
  } catch (cause) {
    throw new UsageError(`${place}: its function threw: ${messageOf(cause)}`, { cause })
  }
  if (typeof returned === 'string') return returned
  if (returned instanceof Uint8Array) return Buffer.from(returned.buffer, returned.byteOffset, returned.byteLength)
  throw new UsageError(`${place}: its function must return text or bytes (a Uint8Array)`)
}
