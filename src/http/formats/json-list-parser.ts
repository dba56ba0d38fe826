import { messageOf } from '../../value/error.ts'
import { parseJson } from '../../value/json/parse-json.ts'
import { transcoder, type Transcoder } from './charset.ts'
import { JsonPart, type JsonText } from './json-records.ts'
import { BrokenBodyError, type RecordParser, type RecordPart } from './record-parser.ts'

const QUOTE = 34
const COMMA = 44
const COLON = 58
const OPEN_LIST = 91
const ESCAPE = 92
const CLOSE_LIST = 93
const OPEN_OBJECT = 123
const CLOSE_OBJECT = 125

/** An object or a list around the records. */
interface Frame {
  readonly isObject: boolean
  /** The rest of the path below it; undefined if the path does not lead through it. */
  readonly rest: string | undefined
}

export interface JsonListOptions {
  /** The path of the list; '' is the body itself. */
  readonly path: string
  readonly encoding?: string | undefined
  /** The most that may stand beside the records, in bytes. */
  readonly maxRecordBytes: number
}

/**
 * Cuts the records of one list out of a JSON body of any size. They are given to the parser of small bodies, so their
 * numbers are exact; what stands beside the list is kept and parsed at the end.
 */
export class JsonListParser implements RecordParser {
  readonly #options: JsonListOptions
  readonly #transcoder: Transcoder
  #mode: 'outside' | 'list' = 'outside'
  #hasFound = false
  readonly #frames: Frame[] = []
  /** The name of the member whose value comes next. */
  #name: string | undefined
  /** Bytes of a text outside of the list that is not closed; undefined outside of texts. */
  #text: number[] | undefined
  #isEscaped = false
  readonly #outside: Buffer[] = []
  #outsideBytes = 0
  #envelope: unknown

  /** A record that is not whole, from its first byte on. */
  #pending: Buffer = Buffer.alloc(0)
  /** How much of it was looked at. */
  #seen = 0
  #expected: 'first' | 'record' | 'comma' = 'first'
  #depth = 0
  #isInText = false
  #isWord = false
  #hasStarted = false

  constructor(options: JsonListOptions) {
    this.#options = options
    this.#transcoder = transcoder(options.encoding)
  }

  get pendingBytes(): number {
    return this.#pending.length
  }

  get envelope(): unknown {
    return this.#envelope
  }

  push(bytes: Buffer): RecordPart {
    return this.#read(this.#transcoder.push(bytes))
  }

  end(): RecordPart {
    const part = this.#read(this.#transcoder.end())
    const text = Buffer.concat(this.#outside)
    if (this.#mode === 'list' || this.#frames.length > 0 || this.#text !== undefined || text.toString().trim() === '')
      throw new BrokenBodyError('JSON that ends too early', { isCut: true })
    try {
      this.#envelope = parseJson(text)
    } catch (cause) {
      throw new BrokenBodyError(`JSON that is not valid: ${messageOf(cause)}`, { cause })
    }
    return part
  }

  #read(bytes: Buffer): RecordPart {
    const texts: JsonText[] = []
    let rest = bytes
    while (rest.length > 0) rest = this.#mode === 'list' ? this.#readList(rest, texts) : this.#readOutside(rest)
    return new JsonPart(texts, (_, problem) => {
      throw new BrokenBodyError(`JSON that is not valid: ${problem}`)
    })
  }

  /** Reads up to the list. Returns the bytes behind its bracket. */
  #readOutside(bytes: Buffer): Buffer {
    for (let at = 0; at < bytes.length; at += 1) {
      const byte = bytes[at] ?? 0
      if (this.#text !== undefined) {
        this.#inText(byte)
        continue
      }
      switch (byte) {
        case QUOTE:
          this.#text = []
          break
        case OPEN_OBJECT:
        case OPEN_LIST: {
          const rest = this.#restOfValue()
          if (byte === OPEN_LIST && rest === '') {
            this.#startList()
            this.#keep(bytes.subarray(0, at + 1))
            return bytes.subarray(at + 1)
          }
          this.#frames.push({ isObject: byte === OPEN_OBJECT, rest: byte === OPEN_OBJECT ? rest : undefined })
          this.#name = undefined
          break
        }
        case CLOSE_OBJECT:
        case CLOSE_LIST:
          this.#frames.pop()
          break
        case COMMA:
          this.#name = undefined
          break
        default:
      }
    }
    this.#keep(bytes)
    return bytes.subarray(bytes.length)
  }

  #inText(byte: number): void {
    const text = this.#text ?? []
    if (this.#isEscaped) this.#isEscaped = false
    else if (byte === ESCAPE) this.#isEscaped = true
    else if (byte === QUOTE) {
      const isName = this.#frames.at(-1)?.isObject === true && this.#name === undefined
      if (isName) this.#name = nameOf(Buffer.from(text))
      this.#text = undefined
      return
    }
    text.push(byte)
  }

  /** Returns the rest of the path below the value that begins here, '' at its end. */
  #restOfValue(): string | undefined {
    const frame = this.#frames.at(-1)
    if (!frame) return this.#options.path
    const { rest } = frame
    const name = this.#name
    if (rest === undefined || name === undefined) return undefined
    if (rest === name) return ''
    return rest.startsWith(`${name}.`) ? rest.slice(name.length + 1) : undefined
  }

  #startList(): void {
    const { path } = this.#options
    if (this.#hasFound)
      throw new BrokenBodyError(path === '' ? 'JSON that is not valid: two lists' : `JSON that has '${path}' twice`)
    this.#hasFound = true
    this.#mode = 'list'
    this.#expected = 'first'
  }

  #keep(bytes: Buffer): void {
    const { maxRecordBytes, path } = this.#options
    this.#outsideBytes += bytes.length
    if (this.#outsideBytes > maxRecordBytes)
      throw new BrokenBodyError(
        `JSON with more than ${maxRecordBytes} bytes beside the records at '${path}'; ` +
          "correct the path, or raise the API's maxPageSize",
      )
    // A copy: the part would keep all of its chunk in memory.
    this.#outside.push(Buffer.from(bytes))
  }

  /** Cuts records. Returns the bytes from the closing bracket of the list on. */
  #readList(bytes: Buffer, texts: JsonText[]): Buffer {
    const buffer = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes])
    let start = 0
    let at = this.#seen
    const { length } = buffer
    while (at < length) {
      if (this.#hasStarted) {
        at = this.#endOfRecord(buffer, at)
        if (this.#hasStarted) break
        texts.push({ bytes: buffer.subarray(start, at) })
        this.#expected = 'comma'
        continue
      }
      const byte = buffer[at] ?? 0
      if (byte === CLOSE_LIST && this.#expected !== 'record') {
        this.#pending = Buffer.alloc(0)
        this.#seen = 0
        this.#mode = 'outside'
        return this.#closed(buffer.subarray(at))
      }
      if (byte === COMMA && this.#expected === 'comma') this.#expected = 'record'
      else if (!isSpace(byte)) {
        if (
          this.#expected === 'comma' ||
          byte === COMMA ||
          byte === CLOSE_LIST ||
          byte === CLOSE_OBJECT ||
          byte === COLON
        )
          throw new BrokenBodyError(
            `JSON that is not valid: ${JSON.stringify(String.fromCharCode(byte))} between records`,
          )
        start = at
        this.#hasStarted = true
        this.#depth = byte === OPEN_OBJECT || byte === OPEN_LIST ? 1 : 0
        this.#isInText = byte === QUOTE
        this.#isWord = this.#depth === 0 && !this.#isInText
      }
      at += 1
    }
    this.#pending = this.#hasStarted ? Buffer.from(buffer.subarray(start)) : Buffer.alloc(0)
    this.#seen = this.#pending.length
    return bytes.subarray(bytes.length)
  }

  /** Keeps the bracket that closes the list, and returns what follows it. */
  #closed(bytes: Buffer): Buffer {
    this.#keep(bytes.subarray(0, 1))
    return bytes.subarray(1)
  }

  /* oxlint-disable typescript/no-non-null-assertion -- Each index was compared with the length, in the hottest loop. */
  /** Returns the offset behind a record, or the length if it is not whole. */
  #endOfRecord(buffer: Buffer, from: number): number {
    const { length } = buffer
    let at = from
    if (this.#isWord) {
      while (at < length && !endsWord(buffer[at]!)) at += 1
      this.#hasStarted = at === length
      return at
    }
    let depth = this.#depth
    let isInText = this.#isInText
    let isEscaped = this.#isEscaped
    for (; at < length; at += 1) {
      const byte = buffer[at]!
      if (isInText) {
        if (isEscaped) isEscaped = false
        else if (byte === ESCAPE) isEscaped = true
        else if (byte === QUOTE) {
          isInText = false
          if (depth === 0) break
        }
      } else if (byte === QUOTE) isInText = true
      else if (byte === OPEN_OBJECT || byte === OPEN_LIST) depth += 1
      else if ((byte === CLOSE_OBJECT || byte === CLOSE_LIST) && --depth === 0) break
    }
    this.#depth = depth
    this.#isInText = isInText
    this.#isEscaped = isEscaped
    this.#hasStarted = at === length
    return this.#hasStarted ? length : at + 1
  }
  /* oxlint-enable typescript/no-non-null-assertion */
}

const isSpace = (byte: number): boolean => byte === 32 || byte === 10 || byte === 13 || byte === 9
const endsWord = (byte: number): boolean =>
  isSpace(byte) || byte === COMMA || byte === CLOSE_LIST || byte === CLOSE_OBJECT

/** Returns the name that a text stands for, an impossible one if it is no valid text. */
function nameOf(text: Buffer): string {
  const source = text.toString()
  if (!source.includes('\\')) return source
  try {
    return JSON.parse(`"${source}"`) as string
  } catch {
    return ''
  }
}
