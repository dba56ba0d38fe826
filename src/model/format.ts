// The form of a body: how records are written in it. Plain data.

/** JSON, also where the content type says something else. */
export interface JsonFormat {
  readonly type: 'json'
  /** As in `'utf-16'`. @default the charset of the content type, else UTF-8 */
  readonly encoding?: string
}

/** A JSON value in each line. */
export interface NdjsonFormat {
  readonly type: 'ndjson'
  readonly encoding?: string
}

/** Rows of fields. All values are text. */
export interface CsvFormat {
  readonly type: 'csv'
  /** @default ',', and a tab for the content type text/tab-separated-values */
  readonly delimiter?: string
  /** The character around a field that holds delimiters; false: none is special. @default '"' */
  readonly quote?: string | false
  /** Names of the fields of a body without a header row. @default the first row */
  readonly columns?: readonly string[]
  readonly encoding?: string
}

/** Elements as records. */
export interface XmlFormat {
  readonly type: 'xml'
  /** Elements that are a list even if there is one of them. The path of `.records()` is always one. @default none */
  readonly lists?: readonly string[]
  readonly encoding?: string
}

/** Files in an archive. */
export interface ZipFormat {
  readonly type: 'zip'
  /** The name of the member; `*` stands for any characters. @default all members */
  readonly member?: string
  /** @default by the name of the member */
  readonly format?: TextFormat
}

/** The form of a body that is text: `json()`, `ndjson()`, `csv()` or `xml()`. */
export type TextFormat = JsonFormat | NdjsonFormat | CsvFormat | XmlFormat
/** The form of a body, as `csv()` and its like return it. */
export type Format = TextFormat | ZipFormat

/** Returns what `list --verbose` says of a format, as `csv, delimiter ";"`. */
export function formatText(format: Format): string {
  const { type, ...options } = format
  const details = Object.entries(options).map(([name, value]) =>
    name === 'format' ? formatText(value as Format) : `${name} ${JSON.stringify(value)}`,
  )
  return [type, ...details].join(', ')
}
