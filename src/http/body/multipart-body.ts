// A form as `multipart/form-data`. It is text or bytes and not the stream of a FormData: a signature needs the bytes
// that are sent, and each try sends the same.
import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'

/** A file, with its content. */
export interface MultipartFile {
  readonly field: string
  readonly bytes: Buffer
  /** Undefined: none is sent. */
  readonly filename: string | undefined
  readonly contentType: string
}

/**
 * Returns the body of a form, by RFC 7578. Line breaks in values become CR LF, as browsers send them; files are sent as
 * they are, behind the fields. It is text unless a file is not UTF-8.
 */
export function multipartBody(
  fields: readonly (readonly [name: string, text: string])[],
  files: readonly MultipartFile[] = [],
): { readonly type: string; readonly content: string | Buffer } {
  const sent = [...fields.map(([name, text]) => [fieldHead(name), withCrlf(text)] as const), ...files.map(filePiece)]
  // No value contains a hash of all values. Without files it is that of earlier versions, which recorded tests hold.
  const hash = createHash('sha256').update(JSON.stringify(fields))
  for (const { field, bytes, filename = null, contentType } of files)
    hash.update(JSON.stringify([field, filename, contentType, bytes.length])).update(bytes)
  const boundary = `sluice-${hash.digest('hex')}`
  const pieces = [
    ...sent.flatMap(([head, content]) => [`--${boundary}\r\n${head}\r\n\r\n`, content, '\r\n']),
    `--${boundary}--\r\n`,
  ]
  const isText = files.every(({ bytes }) => isUtf8(bytes))
  return {
    type: `multipart/form-data; boundary=${boundary}`,
    content: isText
      ? pieces.map((piece) => piece.toString()).join('')
      : Buffer.concat(pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece))),
  }
}

const fieldHead = (name: string): string => `Content-Disposition: form-data; name="${escapedName(name)}"`

const filePiece = ({ field, filename, contentType, bytes }: MultipartFile): readonly [string, Buffer] => [
  fieldHead(field) +
    (filename === undefined ? '' : `; filename="${escapedName(filename)}"`) +
    `\r\nContent-Type: ${contentType}`,
  bytes,
]

const withCrlf = (text: string): string => text.replaceAll(/\r\n|\r|\n/g, '\r\n')

/** The escapes of the HTML standard: a name must not end its own quotes. */
const escapedName = (name: string): string =>
  withCrlf(name).replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
