// Text in the format of COPY: one row a line, columns parted by tabs, `\N` for null.
import { Misfit } from '../values/type-mismatch.ts'

/** What may not stand in a column as it is. NUL is among them since PostgreSQL has no place for it at all. */
// oxlint-disable-next-line no-control-regex
export const special = /[\0\\\n\r\t]/
// oxlint-disable-next-line no-control-regex
const everySpecial = /[\0\\\n\r\t]/g
const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** A text as COPY reads it; only for texts in which `special` was found. */
export function escaped(text: string): string {
  return text.replace(everySpecial, (character) => escapes[character] ?? nul())
}

function nul(): never {
  throw new Misfit('it holds a NUL character, which PostgreSQL cannot store', { hopeless: true })
}

/** For a whole row: half of a surrogate pair would silently become U+FFFD. */
export const copyText = (text: string): string => (special.test(text) ? escaped(text) : text)

const meant: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' }

/** One column's text as it was before it was escaped; null for `\N`. */
export function unescaped(text: string): string | null {
  if (text === '\\N') return null
  return text.includes('\\')
    ? text.replaceAll(/\\(.)/gs, (_, character: string) => meant[character] ?? character)
    : text
}
