// Records as JSON texts that were cut out of a body, and that are parsed together.
import { isUtf8 } from 'node:buffer'
import type { Hash } from 'node:crypto'
import { messageOf } from '../../value/error.ts'
import { UnreadableRecord } from '../../model/unreadable-record.ts'
import { parseLenientJson, type JsonFault } from '../../value/json/lenient-json.ts'
import { parseJson } from '../../value/json/parse-json.ts'
import { keepRawText } from '../../value/json/stored-json.ts'
import { decodeUtf8 } from '../../value/utf8.ts'
import type { RecordPart } from './record-parser.ts'

const [OPEN, COMMA, CLOSE] = [Buffer.from('['), Buffer.from(','), Buffer.from(']')]
const NEWLINE = Buffer.from('\n')

export interface JsonText {
  readonly bytes: Buffer
  /** The line of the body, counted from 1. */
  readonly line?: number
}

/** `onBroken` returns what stands for a text that is no JSON, or throws. */
export class JsonPart implements RecordPart {
  readonly #texts: readonly JsonText[]
  readonly #onBroken: (text: JsonText, problem: string) => unknown

  constructor(texts: readonly JsonText[], onBroken: (text: JsonText, problem: string) => unknown) {
    this.#texts = texts
    this.#onBroken = onBroken
  }

  get count(): number {
    return this.#texts.length
  }

  addTo(hash: Hash, from: number, to: number): void {
    if (from >= to) return
    hash.update(Buffer.concat(this.#texts.slice(from, to).flatMap(({ bytes }) => [bytes, NEWLINE])))
  }

  records(from: number): unknown[] {
    const texts = from === 0 ? this.#texts : this.#texts.slice(from)
    if (texts.length === 0) return []
    const list = Buffer.concat([
      OPEN,
      ...texts.flatMap(({ bytes }, index) => (index === 0 ? [bytes] : [COMMA, bytes])),
      CLOSE,
    ])
    return together(list, texts.length) ?? texts.map((text) => this.#parse(text))
  }

  #parse(text: JsonText): unknown {
    const { bytes } = text
    try {
      return parseOne(bytes)
    } catch (error) {
      return this.#onBroken(text, messageOf(error))
    }
  }
}

/** Parses all records in one call. Returns undefined if one of them needs a closer look. */
function together(list: Buffer, count: number): unknown[] | undefined {
  if (!isUtf8(list)) return undefined
  try {
    const records = parseJson(list) as unknown[]
    // A text such as `1,2` is no JSON, but becomes two records between commas.
    return records.length === count ? records : undefined
  } catch {
    return undefined
  }
}

/** Rejects a record of which a part was left out, because it lies too deep. */
function unreadable({ path, problem }: JsonFault, record: object, text: string): UnreadableRecord {
  keepRawText(record, text)
  return new UnreadableRecord(`${path} ${problem}`, record as Readonly<Record<string, unknown>>)
}

/** Parses one record. Single values that JSON does not know are accepted, and its text is kept for the rejects. */
function parseOne(bytes: Buffer): unknown {
  if (isUtf8(bytes)) {
    try {
      return parseJson(bytes)
    } catch {
      /* The lenient parser names the place. */
    }
  }
  const text = decodeUtf8(bytes)
  const { value, faults } = parseLenientJson(text)
  const tooDeep = faults.find(({ kind }) => kind === 'depth')
  const isNumber = faults.some(({ kind }) => kind === 'number')
  if (isNumber && typeof value === 'object' && value !== null) keepRawText(value, text)
  return tooDeep && typeof value === 'object' && value !== null ? unreadable(tooDeep, value, text) : value
}
