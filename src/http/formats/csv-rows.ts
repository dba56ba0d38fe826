// Cuts CSV into rows of fields. The text has one character for each byte, so that a wrong byte concerns its field only.

export interface CsvRow {
  /** The line in which the row begins, counted from 1. */
  readonly line: number
  readonly fields: readonly string[]
  /** The row as it stands in the text. */
  readonly text: string
  /** What is wrong with its quotes. */
  readonly problem?: string
}

export interface CsvRows {
  readonly rows: CsvRow[]
  /** The begin of a row whose end has not arrived. */
  readonly rest: string
  /** The line in which the rest begins. */
  readonly line: number
}

export interface CsvSyntax {
  readonly delimiter: string
  /** Undefined if no character quotes fields. */
  readonly quote: string | undefined
}

/** A row that could not be ended: more text is needed. */
const UNFINISHED = undefined

/**
 * Returns the rows of a text that begins with a row. `isEnd`: nothing follows it. Empty lines are left out. A quote
 * inside a field that does not begin with one is a character like others.
 */
export function csvRows(text: string, line: number, syntax: CsvSyntax, isEnd: boolean): CsvRows {
  const { delimiter, quote } = syntax
  const rows: CsvRow[] = []
  let at = 0
  let nextQuote = quote === undefined ? -1 : text.indexOf(quote)
  while (at < text.length) {
    let end = text.indexOf('\n', at)
    if (end < 0 && !isEnd) break
    if (end < 0) end = text.length
    if (nextQuote >= 0 && nextQuote < at && quote !== undefined) nextQuote = text.indexOf(quote, at)
    if (nextQuote < 0 || nextQuote > end || quote === undefined) {
      const row = text.slice(at, text[end - 1] === '\r' && end > at ? end - 1 : end)
      if (row !== '') rows.push({ line, fields: row.split(delimiter), text: row })
      at = end + 1
      line += 1
      continue
    }
    const quoted = quotedRow(text, at, { delimiter, quote }, isEnd)
    if (quoted === UNFINISHED) break
    const { fields, problem } = quoted
    rows.push({ line, fields, text: text.slice(at, quoted.end), ...(problem !== undefined && { problem }) })
    line += linesIn(text, at, quoted.end)
    at = quoted.end
  }
  return { rows, rest: text.slice(at), line }
}

interface QuotedRow {
  readonly fields: readonly string[]
  readonly problem?: string
  /** The offset behind its line end. */
  readonly end: number
}

/** Reads a row that has quotes. */
function quotedRow(
  text: string,
  start: number,
  { delimiter, quote }: { readonly delimiter: string; readonly quote: string },
  isEnd: boolean,
): QuotedRow | typeof UNFINISHED {
  const fields: string[] = []
  let problem: string | undefined
  for (let at = start; ; at += delimiter.length) {
    if (text.startsWith(quote, at)) {
      const close = closingQuote(text, at + 1, quote)
      // The last quote of a text may be the first half of two.
      if (close < 0 || (close + 1 >= text.length && !isEnd)) return UNFINISHED
      fields.push(text.slice(at + 1, close).replaceAll(quote + quote, quote))
      at = close + 1
      const isAtEnd = at >= text.length || text[at] === '\n' || text.startsWith('\r\n', at)
      if (text[at] === '\r' && at + 1 >= text.length && !isEnd) return UNFINISHED
      if (!isAtEnd && !text.startsWith(delimiter, at)) {
        problem = 'a character follows the closing quote of a field'
        const end = text.indexOf('\n', at)
        if (end < 0 && !isEnd) return UNFINISHED
        return { fields, problem, end: end < 0 ? text.length : end + 1 }
      }
    } else {
      const newline = text.indexOf('\n', at)
      const next = text.indexOf(delimiter, at)
      const lineEnd = newline < 0 ? text.length : newline
      if (newline < 0 && (next < 0 || next > lineEnd) && !isEnd) return UNFINISHED
      const end = next >= 0 && next < lineEnd ? next : lineEnd
      const isLast = end === lineEnd
      fields.push(text.slice(at, isLast && end > at && text[end - 1] === '\r' ? end - 1 : end))
      at = end
    }
    if (at >= text.length) return isEnd ? { fields, end: text.length } : UNFINISHED
    if (text[at] === '\n') return { fields, end: at + 1 }
    if (text.startsWith('\r\n', at)) return { fields, end: at + 2 }
  }
}

/** Returns the offset of the quote that closes a field, -1 if it has not arrived. */
function closingQuote(text: string, from: number, quote: string): number {
  for (let at = text.indexOf(quote, from); at >= 0; at = text.indexOf(quote, at + 2))
    if (text[at + 1] !== quote) return at
  return -1
}

function linesIn(text: string, from: number, to: number): number {
  let count = 0
  for (let at = text.indexOf('\n', from); at >= 0 && at < to; at = text.indexOf('\n', at + 1)) count += 1
  return count
}
