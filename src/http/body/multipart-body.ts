// A form as `multipart/form-data`. It is text and not the stream of a FormData: a signature needs the bytes that are
// sent, and each try sends the same.
import { createHash } from 'node:crypto'

/** Returns the body of a form, by RFC 7578. Line breaks in values become CR LF, as browsers send them. */
export function multipartBody(fields: readonly (readonly [name: string, text: string])[]): {
  readonly type: string
  readonly text: string
} {
  // No value contains a hash of all values.
  const boundary = `sluice-${createHash('sha256').update(JSON.stringify(fields)).digest('hex')}`
  const parts = fields.map(
    ([name, text]) =>
      `--${boundary}\r\nContent-Disposition: form-data; name="${escapedName(name)}"\r\n\r\n${withCrlf(text)}\r\n`,
  )
  return { type: `multipart/form-data; boundary=${boundary}`, text: `${parts.join('')}--${boundary}--\r\n` }
}

const withCrlf = (text: string): string => text.replaceAll(/\r\n|\r|\n/g, '\r\n')

/** The escapes of the HTML standard: a name must not end its own quotes. */
const escapedName = (name: string): string =>
  withCrlf(name).replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
