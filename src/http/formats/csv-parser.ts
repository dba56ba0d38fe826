import type { CsvFormat } from '../../model/format.ts'
import { UnreadableRecord } from '../../model/unreadable-record.ts'
import { formatCount } from '../../value/format.ts'
import { shorten } from '../../value/text.ts'
import { decodeUtf8 } from '../../value/utf8.ts'
import { transcoder, type Transcoder } from './charset.ts'
import { csvRows, type CsvRow, type CsvSyntax } from './csv-rows.ts'
import { BrokenBodyError, ParsedPart, type RecordParser } from './record-parser.ts'

/** Matches a row whose bytes are not all ASCII. */
const BEYOND_ASCII = /[\u0080-\u00ff]/
/** Characters that separate fields. */
const DELIMITERS = [';', '\t', '|', ',']

/**
 * Rows of fields, each an object of texts. A row with too few or too many fields, or with a stray quote, is a record
 * that could not be read.
 */
export class CsvParser implements RecordParser {
  readonly envelope = undefined
  readonly #format: Omit<CsvFormat, 'type'>
  readonly #syntax: CsvSyntax
  readonly #transcoder: Transcoder
  #columns: readonly string[] | undefined
  #rest = ''
  #line = 1

  constructor(format: Omit<CsvFormat, 'type'> = {}) {
    const { delimiter = ',', quote = '"', columns, encoding } = format
    this.#format = format
    this.#syntax = { delimiter: asBytes(delimiter), quote: quote === false ? undefined : quote }
    this.#columns = columns
    this.#transcoder = transcoder(encoding)
  }

  get pendingBytes(): number {
    return this.#rest.length
  }

  push(bytes: Buffer): ParsedPart {
    return this.#read(this.#transcoder.push(bytes), false)
  }

  end(): ParsedPart {
    return this.#read(this.#transcoder.end(), true)
  }

  #read(bytes: Buffer, isEnd: boolean): ParsedPart {
    const text = this.#rest + bytes.toString('latin1')
    const { rows, rest, line } = csvRows(text, this.#line, this.#syntax, isEnd)
    this.#rest = rest
    this.#line = line
    const part = new ParsedPart()
    for (const row of rows) this.#add(row, part)
    if (!isEnd || rest === '') return part
    // The rows behind the quote are in it, so this is no fault of one record.
    throw new BrokenBodyError(`CSV whose quote, opened in line ${line} or later, is never closed`, { isCut: true })
  }

  #add({ fields: bytes, text, line, problem }: CsvRow, part: ParsedPart): void {
    const fields = BEYOND_ASCII.test(text) ? bytes.map((field) => decodeUtf8(Buffer.from(field, 'latin1'))) : bytes
    if (problem !== undefined) part.add(unreadable(`line ${line}: ${problem}`, line, fields), text)
    else if (this.#columns) part.add(this.#record(this.#columns, fields, line), text)
    else this.#columns = this.#header(fields)
  }

  #record(columns: readonly string[], fields: readonly string[], line: number): unknown {
    if (fields.length !== columns.length) {
      const reason = `line ${line} has ${formatCount(fields.length, 'field')} where ${columns.length} are expected`
      return unreadable(reason, line, fields)
    }
    const record: Record<string, string> = {}
    for (let index = 0; index < columns.length; index += 1) record[columns[index] ?? ''] = fields[index] ?? ''
    return record
  }

  #header(fields: readonly string[]): string[] {
    const names = fields.map((name, index) => (name.trim() === '' ? `column_${index + 1}` : name.trim()))
    const twice = names.find((name, index) => names.indexOf(name) < index)
    if (twice !== undefined)
      throw new BrokenBodyError(
        `a header that has ${JSON.stringify(twice)} twice; name the fields, as in csv({ columns: ['a', 'b'] })`,
      )
    if (names.includes('__proto__')) throw new BrokenBodyError('a header with the name "__proto__"')
    const [only = ''] = names
    const other = DELIMITERS.find((character) => only.includes(character))
    // A wrong delimiter would make one wide column of all fields, and no row would be uneven.
    if (names.length === 1 && other !== undefined && this.#format.delimiter === undefined)
      throw new BrokenBodyError(
        `a header of one column, ${JSON.stringify(shorten(only, 100))}; ` +
          `say what separates the fields, as in csv({ delimiter: ${JSON.stringify(other)} })`,
      )
    return names
  }
}

const unreadable = (reason: string, line: number, fields: readonly string[]): UnreadableRecord =>
  new UnreadableRecord(reason, { line, fields })

/** Returns a text as one character for each of its bytes in UTF-8. */
const asBytes = (text: string): string => Buffer.from(text).toString('latin1')
