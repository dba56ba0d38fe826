// A text with ends of the range in it: `updated >= "2024-01-31" order by updated`.
import { UsageError } from '../../model/errors.ts'
import { isBound } from '../../model/bounds-in.ts'
import type { Bound, BoundText } from '../../model/request.ts'

/** One piece of a text. */
interface Piece {
  readonly text: string
  /** Where a value comes from; undefined for the text of the definition between values. */
  readonly from?: 'bound' | 'constant'
}

/**
 * Returns the text with its values, undefined if the range lacks an end that it needs. Throws a UsageError for a value
 * that would change the meaning of the text around it.
 */
export function filledText(
  template: BoundText,
  fill: (bound: Bound) => string | number | undefined,
): string | undefined {
  const pieces = piecesOf(template, fill)
  if (!pieces) return undefined
  let quote = ''
  for (const { text, from } of pieces)
    if (from === undefined) quote = quoteAfter(text, quote)
    else checkPiece(text, from, quote)
  return pieces.map(({ text }) => text).join('')
}

/** A text within a text is left out if it lacks its end of the range. */
function piecesOf(
  { textTemplate, values }: BoundText,
  fill: (bound: Bound) => string | number | undefined,
): Piece[] | undefined {
  const pieces: Piece[] = []
  for (const [index, text] of textTemplate.entries()) {
    pieces.push({ text })
    if (index >= values.length) continue
    const value = values[index]
    if (isBound(value)) {
      const filled = fill(value)
      if (filled === undefined) return undefined
      pieces.push({ text: String(filled), from: 'bound' })
    } else if (typeof value === 'object') pieces.push(...(piecesOf(value, fill) ?? []))
    else pieces.push({ text: String(value), from: 'constant' })
  }
  return pieces
}

/** Returns the quote that is open after a text, or ''. A backslash hides the character behind it. */
function quoteAfter(text: string, before: string): string {
  let quote = before
  for (const [character] of text.matchAll(/\\[^]|["'`]/g))
    if (character.length === 1 && (quote === '' || quote === character)) quote = quote === '' ? character : ''
  return quote
}

/** Within quotes, a value must not end them. Outside of them, one that the API wrote must not begin any. */
function checkPiece(text: string, from: 'bound' | 'constant', quote: string): void {
  if (quote === '' && from === 'constant') return
  const special =
    quote === ''
      ? /["'`\\;\p{Cc}]/u.exec(text)?.[0]
      : (/[\\\p{Cc}]/u.exec(text)?.[0] ?? (text.includes(quote) ? quote : undefined))
  if (special === undefined) return
  throw new UsageError(
    `text: the value ${JSON.stringify(text)} has the character ${JSON.stringify(special)}, which would change the ` +
      'meaning of the text around it. Write it into the text itself, as its language quotes it',
  )
}
