// Text in the format of COPY: one row a line, columns parted by tabs, `\N` for null.
import { TypeMismatch } from '../values/type-mismatch.ts'

/** What may not stand in a column as it is. NUL is among them since PostgreSQL has no place for it at all. */
// oxlint-disable-next-line no-control-regex
export const SPECIAL_CHARACTERS = /[\0\\\n\r\t]/
// oxlint-disable-next-line no-control-regex
const everySpecial = /[\0\\\n\r\t]/g
const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** A text as COPY reads it; only for texts in which `special` was found. */
export function escapeSpecial(text: string): string {
  return text.replace(everySpecial, (character) => escapes[character] ?? nul())
}

function nul(): never {
  throw new TypeMismatch('it holds a NUL character, which PostgreSQL cannot store', { hopeless: true })
}

/** For a whole row: half of a surrogate pair would silently become U+FFFD. */
export const escapeText = (text: string): string => (SPECIAL_CHARACTERS.test(text) ? escapeSpecial(text) : text)

const meant: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' }

/** One column's text as it was before it was escaped; null for `\N`. */
export function unescape(text: string): string | null {
  if (text === '\\N') return null
  return text.includes('\\')
    ? text.replaceAll(/\\(.)/gs, (_, character: string) => meant[character] ?? character)
    : text
}
