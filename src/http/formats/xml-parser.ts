import { TextDecoder } from 'node:util'
import sax, { type QualifiedTag, type SAXParser, type Tag } from 'sax'
import type { XmlFormat } from '../../model/format.ts'
import { markOf } from './charset.ts'
import { BrokenBodyError, ParsedPart, type RecordParser } from './record-parser.ts'

type Members = Record<string, unknown>

/** An element that is open. */
interface Element {
  readonly name: string
  /** Names from the root, joined by dots. */
  readonly path: string
  /** Undefined while it has neither attributes nor children. */
  members: Members | undefined
  text: string
  isNil: boolean
}

export interface XmlParserOptions extends Omit<XmlFormat, 'type'> {
  /** The path of the elements that are the records. @default none: all of the body is its envelope */
  readonly records?: string | undefined
  /** The largest record, and the most that may stand beside the records, in characters. */
  readonly maxRecordBytes: number
}

/** An encoding in the XML declaration. */
const DECLARED = /^\s*<\?xml[^>]*\sencoding\s*=\s*["']([\w.:-]+)["']/
/** Bytes in which the declaration is looked for. */
const DECLARATION_BYTES = 256

/**
 * Elements as values. One that has neither attributes nor children is its text; any other is an object with its
 * attributes (`@name`), its children by name (a list, if a name repeats), and its own text (`#text`). Entities that the
 * document defines itself are an error: they could multiply without end.
 */
export class XmlParser implements RecordParser {
  readonly #options: XmlParserOptions
  readonly #lists: ReadonlySet<string>
  readonly #parentPath: string
  readonly #sax: SAXParser
  #first: Buffer | undefined = Buffer.alloc(0)
  #decoder: TextDecoder | undefined
  readonly #open: Element[] = []
  /** How many of the open elements belong to a record. */
  #recordDepth = 0
  #part = new ParsedPart()
  readonly #root: Members = {}
  /** Characters since the last record. */
  #size = 0
  #envelopeSize = 0

  constructor(options: XmlParserOptions) {
    const { lists = [], records = '' } = options
    this.#options = options
    this.#lists = new Set(lists)
    this.#parentPath = records.slice(0, Math.max(0, records.lastIndexOf('.')))
    const parser = sax.parser(true, { trim: false, normalize: false, position: true })
    /* oxlint-disable unicorn/prefer-add-event-listener -- sax has these alone. */
    parser.onerror = (error) => {
      throw this.#broken(error)
    }
    parser.onopentag = (tag) => this.#start(tag)
    parser.onclosetag = () => this.#close()
    parser.ontext = (text) => this.#text(text)
    parser.oncdata = (text) => this.#text(text)
    /* oxlint-enable unicorn/prefer-add-event-listener */
    this.#sax = parser
  }

  get pendingBytes(): number {
    return this.#size
  }

  get envelope(): unknown {
    return this.#root
  }

  push(bytes: Buffer): ParsedPart {
    if (!this.#first) return this.#write(bytes)
    const first = Buffer.concat([this.#first, bytes])
    this.#first = first
    return first.length < DECLARATION_BYTES ? this.#taken() : this.#write(this.#start256(first))
  }

  end(): ParsedPart {
    if (this.#first) this.#feed(this.#start256(this.#first), false)
    if (this.#open.length > 0)
      throw new BrokenBodyError(`XML that ends inside <${this.#open.at(-1)?.name}>`, { isCut: true })
    this.#feed('', true)
    this.#sax.close()
    if (Object.keys(this.#root).length === 0) throw new BrokenBodyError('XML without an element', { isCut: true })
    return this.#taken()
  }

  /** Returns the first bytes without their mark, once it is known how they are encoded. */
  #start256(bytes: Buffer): Buffer {
    this.#first = undefined
    const mark = markOf(bytes)
    const declared = DECLARED.exec(bytes.subarray(0, DECLARATION_BYTES).toString('latin1'))?.[1]
    const encoding = mark?.encoding ?? this.#options.encoding ?? declared ?? 'utf-8'
    try {
      this.#decoder = new TextDecoder(encoding, { fatal: true, ignoreBOM: true })
    } catch (cause) {
      throw new BrokenBodyError(`the encoding ${JSON.stringify(encoding)}, which is not known`, { cause })
    }
    return bytes.subarray(mark?.length ?? 0)
  }

  #write(bytes: Buffer): ParsedPart {
    this.#feed(bytes, false)
    return this.#taken()
  }

  #feed(bytes: Buffer | '', isEnd: boolean): void {
    let text: string | undefined
    try {
      text = bytes === '' ? this.#decoder?.decode() : this.#decoder?.decode(bytes, { stream: !isEnd })
    } catch (cause) {
      throw new BrokenBodyError(`XML with bytes that are not ${this.#decoder?.encoding}`, { cause })
    }
    if (text) this.#sax.write(text)
  }

  #taken(): ParsedPart {
    const part = this.#part
    this.#part = new ParsedPart()
    return part
  }

  #start({ name, attributes }: Tag | QualifiedTag): void {
    const parent = this.#open.at(-1)
    if (!parent && Object.keys(this.#root).length > 0)
      throw new BrokenBodyError(`XML with a second root, <${name}>, in line ${this.#sax.line + 1}`)
    const path = parent ? `${parent.path}.${name}` : name
    const element: Element = { name, path, members: undefined, text: '', isNil: false }
    for (const [attribute, value] of Object.entries(attributes)) {
      const text = String(value)
      if (attribute === 'xsi:nil') element.isNil = text === 'true' || text === '1'
      else setMember((element.members ??= {}), `@${attribute}`, text)
      this.#grow(attribute.length + text.length)
    }
    this.#grow(name.length)
    this.#open.push(element)
    if (this.#recordDepth > 0 || path === this.#options.records) this.#recordDepth += 1
  }

  #text(text: string): void {
    const element = this.#open.at(-1)
    if (!element) return
    element.text += text
    this.#grow(text.length)
  }

  #close(): void {
    const element = this.#open.pop()
    if (!element) return
    const value = valueOf(element)
    if (this.#recordDepth === 1) {
      this.#part.add(value, JSON.stringify(value))
      this.#size = 0
    } else this.#attach(element, value)
    if (this.#recordDepth > 0) this.#recordDepth -= 1
  }

  /** Adds an element to its parent. The parent of the records has an empty list in their place. */
  #attach({ name, path }: Element, value: unknown): void {
    const { records } = this.#options
    const held = path === this.#parentPath && records ? withList(value, records.slice(path.length + 1)) : value
    const parent = this.#open.at(-1)
    addMember(parent ? (parent.members ??= {}) : this.#root, name, held, this.#lists.has(path) || this.#lists.has(name))
  }

  /** Counts what is held. Throws beyond the limit. */
  #grow(characters: number): void {
    this.#size += characters
    if (this.#recordDepth === 0) this.#envelopeSize += characters
    const { maxRecordBytes, records } = this.#options
    if (records === undefined || (this.#size <= maxRecordBytes && this.#envelopeSize <= maxRecordBytes)) return
    throw new BrokenBodyError(
      `XML with more than ${maxRecordBytes} characters in one record, or beside the records at '${records}'; ` +
        "correct the path, or raise the API's maxPageSize",
    )
  }

  #broken(error: Error): BrokenBodyError {
    const [problem = ''] = error.message.split('\n', 1)
    return new BrokenBodyError(`XML that is not valid in line ${this.#sax.line + 1}: ${problem}`, { cause: error })
  }
}

function valueOf({ members, text, isNil }: Element): unknown {
  if (!members) return isNil && text.trim() === '' ? null : text
  if (text.trim() !== '') setMember(members, '#text', text)
  return members
}

function withList(value: unknown, name: string): Members {
  if (typeof value === 'object' && value !== null) return { ...value, [name]: [] }
  return typeof value === 'string' && value.trim() !== '' ? { '#text': value, [name]: [] } : { [name]: [] }
}

function addMember(members: Members, name: string, value: unknown, isList: boolean): void {
  if (!Object.hasOwn(members, name)) return setMember(members, name, isList ? [value] : value)
  const held = members[name]
  if (Array.isArray(held)) held.push(value)
  else members[name] = [held, value]
}

/** Unlike an assignment, makes a member of every name. */
function setMember(members: Members, name: string, value: unknown): void {
  if (name === '__proto__')
    Object.defineProperty(members, name, { value, writable: true, enumerable: true, configurable: true })
  else members[name] = value
}
