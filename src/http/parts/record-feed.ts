// The records of a body, part by part, whatever its format.
import type { Format, TextFormat, ZipFormat } from '../../model/format.ts'
import { charsetOf } from '../formats/charset.ts'
import { formatByName } from '../formats/format-of.ts'
import { JsonListParser } from '../formats/json-list-parser.ts'
import { openParser } from '../formats/open-parser.ts'
import { BrokenBodyError, type RecordParser, type RecordPart } from '../formats/record-parser.ts'
import { ByteReader } from './chunks.ts'

/** A body whose first part is there. */
export interface BegunBody {
  readonly begin: Buffer
  readonly reader: ByteReader
}

export interface FeedOptions {
  readonly contentType: string | undefined
  /** The path of the records. */
  readonly records: string
  /** Bytes that are taken at once. */
  readonly partBytes: number
  /** The largest record, member of an archive, or rest of a body beside its records. */
  readonly maxBytes: number
}

export interface FedPart {
  readonly part: RecordPart
  /** No other part follows. */
  readonly isEnd: boolean
}

export interface RecordFeed {
  next: () => Promise<FedPart>
  /** The body without its records, after the end; undefined if it is nothing but a list. */
  readonly envelope: unknown
  /** Bytes of a record that is not whole. */
  readonly pendingBytes: number
}

export async function openFeed(format: Format, body: BegunBody, options: FeedOptions): Promise<RecordFeed> {
  if (format.type === 'zip') return new ZipFeed(format, body, options)
  return new TextFeed(await parserOf(format, options), body, options.partBytes)
}

async function parserOf(format: TextFormat, { contentType, records, maxBytes }: FeedOptions): Promise<RecordParser> {
  if (format.type !== 'json') return openParser(format, { contentType, records, maxRecordBytes: maxBytes })
  const encoding = format.encoding ?? charsetOf(contentType)
  return new JsonListParser({ path: records, encoding, maxRecordBytes: maxBytes })
}

class TextFeed implements RecordFeed {
  readonly #parser: RecordParser
  readonly #reader: ByteReader
  readonly #partBytes: number
  #begin: Buffer | undefined
  #hasEnded = false

  constructor(parser: RecordParser, { begin, reader }: BegunBody, partBytes: number) {
    this.#parser = parser
    this.#begin = begin
    this.#reader = reader
    this.#partBytes = partBytes
  }

  get envelope(): unknown {
    return this.#parser.envelope
  }

  get pendingBytes(): number {
    return this.#parser.pendingBytes
  }

  async next(): Promise<FedPart> {
    if (this.#hasEnded) return { part: await this.#parser.end(), isEnd: true }
    const { bytes, isEnd } = this.#begin
      ? { bytes: this.#begin, isEnd: false }
      : await this.#reader.take(this.#partBytes)
    this.#begin = undefined
    this.#hasEnded = isEnd
    return { part: await this.#parser.push(bytes), isEnd: false }
  }
}

/** An archive is read as a whole, because its directory stands at its end. Its members are unpacked part by part. */
class ZipFeed implements RecordFeed {
  readonly envelope = undefined
  readonly #format: ZipFormat
  readonly #body: BegunBody
  readonly #options: FeedOptions
  #members: AsyncGenerator<FedPart, void, undefined> | undefined
  #next: FedPart | undefined
  #pendingBytes = 0

  constructor(format: ZipFormat, body: BegunBody, options: FeedOptions) {
    this.#format = format
    this.#body = body
    this.#options = options
  }

  get pendingBytes(): number {
    return this.#pendingBytes
  }

  async next(): Promise<FedPart> {
    this.#members ??= this.#read()
    const current = this.#next ?? (await this.#step())
    if (!current) throw new BrokenBodyError('a zip archive without records')
    this.#next = await this.#step()
    return { part: current.part, isEnd: this.#next === undefined }
  }

  async #step(): Promise<FedPart | undefined> {
    const step = await this.#members?.next()
    return step?.value ?? undefined
  }

  async *#read(): AsyncGenerator<FedPart, void, undefined> {
    const { zipMembers } = await import('../formats/zip-members.ts')
    const { maxBytes, partBytes } = this.#options
    const { begin, reader } = this.#body
    const rest = await reader.take(maxBytes + 1 - begin.length)
    const bytes = Buffer.concat([begin, rest.bytes])
    if (!rest.isEnd)
      throw new BrokenBodyError(`a zip archive of more than ${maxBytes} bytes; raise the API's maxPageSize`)
    this.#pendingBytes = bytes.length
    const { member, format } = this.#format
    for await (const { name, read } of zipMembers(bytes, member)) {
      const stated = format ?? formatByName(name) ?? ({ type: 'json' } as const)
      if (stated.type === 'zip') throw new BrokenBodyError(`a zip archive in a zip archive, ${JSON.stringify(name)}`)
      const parser = await parserOf(stated, { ...this.#options, contentType: undefined })
      const feed = new TextFeed(parser, { begin: Buffer.alloc(0), reader: new ByteReader(read()) }, partBytes)
      for (let fed = await feed.next(); ; fed = await feed.next()) {
        yield fed
        if (fed.isEnd) break
      }
    }
  }
}
