import { UsageError } from '../../model/errors.ts'
import { rejectUnknownOptions, type OptionNames } from '../../model/unknown-option.ts'
import type {
  CsvFormat,
  Format,
  JsonFormat,
  NdjsonFormat,
  TextFormat,
  XmlFormat,
  ZipFormat,
} from '../../model/format.ts'

type Options<Data> = { -readonly [Name in keyof Omit<Data, 'type'>]: Data[Name & keyof Data] }

/** Options of `csv()`. */
export interface CsvOptions extends Options<CsvFormat> {}
/** Options of `xml()`. */
export interface XmlOptions extends Options<XmlFormat> {}
/** Options of `zip()`. */
export interface ZipOptions extends Options<ZipFormat> {}

/**
 * JSON, also where the content type of the response names another format.
 *
 * @example
 * api.get<Order[]>('/orders', {}, { format: json({ encoding: 'utf-16' }) })
 */
export const json = (options: Options<JsonFormat> = {}): TextFormat => made('json', options, ENCODING)

/**
 * A JSON value in each line. A line that is no JSON becomes a reject.
 *
 * @example
 * api.get<Order[]>('/orders.jsonl', {}, { format: ndjson() }).pages(onePage()).records()
 */
export const ndjson = (options: Options<NdjsonFormat> = {}): TextFormat => made('ndjson', options, ENCODING)

/**
 * Rows of fields, by default with a header row. All values are text. A row with another number of fields becomes a
 * reject that names its line.
 *
 * @example
 * api.get<Row[]>('/report', {}, { format: csv({ delimiter: ';', encoding: 'latin1' }) }).pages(onePage()).records()
 */
export function csv(options: CsvOptions = {}): TextFormat {
  rejectUnknownOptions('csv()', options, CSV_OPTIONS)
  const { delimiter, quote = '"', columns } = options
  if (delimiter !== undefined && (typeof delimiter !== 'string' || delimiter === '' || /[\r\n]/.test(delimiter)))
    throw new UsageError(`csv(): delimiter is the text between two fields, not ${JSON.stringify(delimiter)}`)
  if (quote !== false && !/^[!-~]$/.test(quote))
    throw new UsageError(`csv(): quote is one character, or false, not ${JSON.stringify(quote)}`)
  if (quote === delimiter) throw new UsageError('csv(): quote and delimiter are the same')
  if (columns !== undefined) checkNames('csv(): columns', columns)
  return made('csv', options, CSV_OPTIONS)
}

/**
 * Elements as records: attributes as `@name`, children by their names, text as `#text`. The path of `.records()` begins
 * with the root element.
 *
 * @example
 * api.get<{ feed: { entry: Entry[] } }>('/feed', {}, { format: xml() }).pages(onePage()).records('feed.entry')
 */
export function xml(options: XmlOptions = {}): TextFormat {
  rejectUnknownOptions('xml()', options, XML_OPTIONS)
  if (options.lists !== undefined) checkNames('xml(): lists', options.lists)
  return made('xml', options, XML_OPTIONS)
}

/**
 * Files in a zip archive. The records of all members whose names match are read, in the order of the archive.
 *
 * @example
 * api.get<Row[]>('/export.zip', {}, { format: zip({ member: '*.csv', format: csv() }) }).pages(onePage()).records()
 */
export function zip(options: ZipOptions = {}): Format {
  rejectUnknownOptions('zip()', options, ZIP_OPTIONS)
  const { member, format } = options
  if (member !== undefined && (typeof member !== 'string' || member === ''))
    throw new UsageError("zip(): member is a name such as 'orders.csv', or a pattern such as '*.csv'")
  if (format !== undefined) checkFormat('zip(): format', format)
  // The compiler says so too, but not in JavaScript.
  if ((format as Format | undefined)?.type === 'zip')
    throw new UsageError('zip(): format is that of a member, not zip()')
  return made('zip', options, ZIP_OPTIONS)
}

const ENCODING = { encoding: true } as const
const CSV_OPTIONS: OptionNames<CsvOptions> = { delimiter: true, quote: true, columns: true, encoding: true }
const XML_OPTIONS: OptionNames<XmlOptions> = { lists: true, encoding: true }
const ZIP_OPTIONS: OptionNames<ZipOptions> = { member: true, format: true }

/** Throws unless the value is a format. */
export function checkFormat(place: string, format: unknown): void {
  const type = typeof format === 'object' && format !== null && 'type' in format ? format.type : undefined
  if (typeof type !== 'string' || !['json', 'ndjson', 'csv', 'xml', 'zip'].includes(type))
    throw new UsageError(`${place} must be a format, as in csv(), ndjson(), xml(), json() or zip()`)
}

function made<Data extends Format>(type: Data['type'], options: object, known: Readonly<Record<string, true>>): Data {
  rejectUnknownOptions(`${type}()`, options, known)
  const { encoding } = options as { readonly encoding?: unknown }
  if (encoding !== undefined) checkEncoding(type, encoding)
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  // Each word passes its own options, and their names were compared.
  return Object.freeze({ type, ...Object.fromEntries(given) } as unknown as Data)
}

function checkEncoding(type: string, encoding: unknown): void {
  try {
    void new TextDecoder(String(encoding))
  } catch {
    throw new UsageError(
      `${type}(): ${JSON.stringify(encoding)} is no known encoding. Write it like 'utf-8', 'latin1' or 'utf-16'`,
    )
  }
}

function checkNames(place: string, names: readonly string[]): void {
  const isList: boolean = Array.isArray(names)
  if (!isList || names.length === 0 || names.some((name) => typeof name !== 'string' || name === ''))
    throw new UsageError(`${place} must be a list of names, as in ['id', 'name']`)
  const twice = names.find((name, index) => names.indexOf(name) < index)
  if (twice !== undefined) throw new UsageError(`${place}: ${JSON.stringify(twice)} stands twice`)
}
