import { formatNumber } from './format.ts'
import { invalidByte } from './utf8.ts'

/** Reasons why a text cannot be stored, for the sentence "field: reason". */
const LONE_SURROGATE = 'it holds half of a surrogate pair, which is not a character'
export const NUL_CHARACTER = 'it holds a NUL character, which PostgreSQL cannot store'

/** Returns the reason why a text that is not well-formed cannot be stored. */
export function illFormedProblem(text: string): string {
  const byte = invalidByte(text)
  return byte === undefined ? LONE_SURROGATE : `it holds the byte ${byte}, which is not UTF-8`
}

/** Returns text that PostgreSQL can hold: a NUL character and half of a surrogate pair become U+FFFD. */
export const storableText = (text: string): string => text.toWellFormed().replaceAll('\0', '\ufffd')

const MAX_QUOTED = 500

/**
 * Shortens a text that a message quotes, as a statement with a thousand columns: keeps its begin and its end, about
 * 500 characters.
 */
export function shorten(text: string, most = MAX_QUOTED): string {
  if (text.length <= most) return text
  const end = Math.floor(most / 4)
  const begin = most - end
  const omitted = formatNumber(text.length - most)
  return `${text.slice(0, begin).toWellFormed()} … [${omitted} characters omitted] … ${text.slice(-end).toWellFormed()}`
}
