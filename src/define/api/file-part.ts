import { UsageError } from '../../model/errors.ts'
import { isFilledIn } from '../../model/bounds-in.ts'
import { isFilePart, type FileBytes, type FilePart, type FileParts } from '../../model/file-part.ts'
import type { Bound, BoundText, Given, Query, QueryValue, Request } from '../../model/request.ts'
import { rejectUnknownOptions } from '../../model/unknown-option.ts'
import { defined } from '../../value/defined.ts'

/** Options of `filePart()`. */
export interface FilePartOptions {
  /** The name of the file; false sends none, for a part that is no file but has a type. @default the field's name */
  filename?: string | false
  /** @default `text/plain; charset=utf-8` for text, `application/octet-stream` for bytes */
  contentType?: string
}

/** The fields of a `multipart/form-data` body: values as those of a form, and files. */
export interface MultipartFields {
  readonly [field: string]: QueryValue | FilePart | readonly FilePart[]
}

/**
 * A file in a multipart form. Its content is text, bytes, a text with bounds, or a function that returns text or bytes
 * (or a promise of them). The function is called for each request, once for all its tries.
 *
 * @example
 * const ids = filePart('id\n1\n', { filename: 'ids.csv', contentType: 'text/csv' })
 * const found = api.post<Found>('/match', { multipart: { ids, mode: 'exact' } })
 *
 * @throws UsageError if the content is something else, or a name or a type is not text
 */
export function filePart(
  content: FileBytes | Bound | BoundText | (() => FileBytes | Promise<FileBytes>),
  options: FilePartOptions = {},
): FilePart {
  rejectUnknownOptions('filePart()', options, ['filename', 'contentType'], HINTS)
  const { filename, contentType } = options
  if (filename !== undefined && filename !== false && (typeof filename !== 'string' || filename === ''))
    throw new UsageError(`filePart(): filename is a text, or false for none, not ${JSON.stringify(filename)}`)
  // A line break would begin a header of its own.
  if (contentType !== undefined && (typeof contentType !== 'string' || !/^[\x20-\x7e]+$/.test(contentType)))
    throw new UsageError(
      `filePart(): contentType is a type such as 'text/csv', in one line, not ${JSON.stringify(contentType)}`,
    )
  const named = defined({ filename, contentType })
  if (content instanceof Uint8Array) {
    const { buffer, byteOffset, byteLength } = content
    const base64 = Buffer.from(buffer, byteOffset, byteLength).toString('base64')
    return Object.freeze({ part: 'file', content: base64, encoding: 'base64', ...named })
  }
  if (typeof content !== 'string' && typeof content !== 'function' && !isFilledIn(content))
    throw new UsageError(
      'filePart(): its content is text, bytes (a Uint8Array), or a function that returns one of them',
    )
  return Object.freeze({ part: 'file', content, ...named })
}

const HINTS = { name: 'Did you mean "filename"?', type: 'Did you mean "contentType"?' }

/**
 * Returns the form and the files of a multipart body. A file whose content has bounds is a field too: its text belongs
 * to one page's request, as any bound. Throws a UsageError for files in a list with bounds.
 */
export function multipartOf(
  place: string,
  fields: MultipartFields | Given<Query>,
): Pick<Request, 'form' | 'multipart' | 'files'> {
  if (typeof fields === 'function') return { form: fields, multipart: true }
  const form: Record<string, QueryValue> = {}
  const files: Record<string, FileParts[string]> = {}
  for (const [name, value] of Object.entries(fields)) {
    const parts = [value].flat().filter(isFilePart)
    if (parts.length === 0) {
      form[name] = value as QueryValue
      continue
    }
    if (parts.length < [value].flat().length)
      throw new UsageError(`${place}: multipart.${name} has files beside other values. Give them fields of their own`)
    const [bound] = parts.flatMap(({ content }) => (isFilledIn(content) ? [content] : []))
    if (bound && Array.isArray(value))
      throw new UsageError(`${place}: multipart.${name}: a file with since or until stands alone, not in a list`)
    if (bound) form[name] = bound
    files[name] = value as FileParts[string]
  }
  return { form, multipart: true, ...(Object.keys(files).length > 0 && { files }) }
}
