// The parser of a format. Each is loaded when a body needs it.
import type { TextFormat } from '../../model/format.ts'
import { charsetOf } from './charset.ts'
import type { RecordParser } from './record-parser.ts'

export interface ParserOptions {
  /** The content type of the body. */
  readonly contentType: string | undefined
  /** The path of the records in the body; '' is the body itself. Undefined if they are found in another way. */
  readonly records: string | undefined
  /** The largest record, and the most that may stand beside the records. */
  readonly maxRecordBytes: number
}

/** Opens the parser of any format but JSON. */
export async function openParser(
  format: Exclude<TextFormat, { readonly type: 'json' }>,
  { contentType, records, maxRecordBytes }: ParserOptions,
): Promise<RecordParser> {
  const encoding = format.encoding ?? charsetOf(contentType)
  const options = { ...format, ...(encoding !== undefined && { encoding }) }
  switch (options.type) {
    case 'ndjson': {
      const { NdjsonParser } = await import('./ndjson-parser.ts')
      return new NdjsonParser(options)
    }
    case 'csv': {
      const { CsvParser } = await import('./csv-parser.ts')
      return new CsvParser(options)
    }
    case 'xml': {
      const { XmlParser } = await import('./xml-parser.ts')
      return new XmlParser({ ...options, records: records === '' ? undefined : records, maxRecordBytes })
    }
  }
}
