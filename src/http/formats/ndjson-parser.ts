import { UnreadableRecord } from '../../model/unreadable-record.ts'
import { decodeUtf8 } from '../../value/utf8.ts'
import { shorten } from '../../value/text.ts'
import { transcoder, type Transcoder } from './charset.ts'
import { JsonPart, type JsonText } from './json-records.ts'
import { Lines, type Line } from './lines.ts'
import type { RecordParser, RecordPart } from './record-parser.ts'

/** A JSON value in each line. A line that is no JSON is a record that could not be read. */
export class NdjsonParser implements RecordParser {
  readonly envelope = undefined
  readonly #transcoder: Transcoder
  readonly #lines = new Lines()

  constructor({ encoding }: { readonly encoding?: string | undefined } = {}) {
    this.#transcoder = transcoder(encoding)
  }

  get pendingBytes(): number {
    return this.#lines.pendingBytes
  }

  push(bytes: Buffer): RecordPart {
    return part(this.#lines.push(this.#transcoder.push(bytes)))
  }

  end(): RecordPart {
    const lines = this.#lines.push(this.#transcoder.end())
    return part([...lines, ...this.#lines.end()])
  }
}

const part = (lines: readonly Line[]): RecordPart =>
  new JsonPart(
    lines.map(({ bytes, number }) => ({ bytes, line: number })),
    unreadable,
  )

function unreadable({ bytes, line }: JsonText, problem: string): UnreadableRecord {
  return new UnreadableRecord(`line ${line} is no JSON: ${problem}`, { line, text: shorten(decodeUtf8(bytes), 2_000) })
}
