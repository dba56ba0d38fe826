// The text format of COPY: one row a line, columns separated by tabs, `\N` for null.
import { NUL_CHARACTER } from '../../value/text.ts'
import { TypeMismatch } from '../values/type-mismatch.ts'

/** Matches a text that has to be escaped, or that holds a NUL character, which cannot be stored at all. */
// oxlint-disable-next-line no-control-regex
export const SPECIAL_CHARACTERS = /[\0\\\n\r\t]/
// oxlint-disable-next-line no-control-regex
const EVERY_SPECIAL_CHARACTER = /[\0\\\n\r\t]/g
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** Escapes a text for COPY. Call it only for texts that match `SPECIAL_CHARACTERS`. */
export const escapeSpecial = (text: string): string =>
  text.replace(EVERY_SPECIAL_CHARACTER, (character) => ESCAPES[character] ?? refuseNul())

function refuseNul(): never {
  throw new TypeMismatch(NUL_CHARACTER, { permanent: true })
}

/** Escapes a text for COPY; returns it unchanged if nothing needs escaping. */
export const escapeText = (text: string): string => (SPECIAL_CHARACTERS.test(text) ? escapeSpecial(text) : text)

const UNESCAPED: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' }

/** Returns one column's text as it was before it was escaped; null for `\N`. */
export function unescapeText(text: string): string | null {
  if (text === '\\N') return null
  return text.includes('\\')
    ? text.replaceAll(/\\(.)/gs, (_, character: string) => UNESCAPED[character] ?? character)
    : text
}
