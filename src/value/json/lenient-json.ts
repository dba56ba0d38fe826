// JSON with single values that JSON does not know: NaN and the infinities as numbers, and bytes that are not UTF-8.
import { exactNumber } from '../decimal-text.ts'
import { MAX_LEVELS, TOO_DEEP } from './max-levels.ts'
import { invalidByte } from '../utf8.ts'

/** A value of a body that JSON does not know. */
export interface JsonFault {
  /** The place as text, such as `items.1.v`. */
  readonly path: string
  /** The problem, to follow the path: `holds NaN, which JSON does not know`. */
  readonly problem: string
  /** Objects and lists that contain it, the outermost first. */
  readonly holders: readonly object[]
  /**
   * `number`: it was parsed as NaN or an infinity. `text`: it holds half of a surrogate pair for each wrong byte.
   * `depth`: null stands for what lies deeper than `MAX_LEVELS`.
   */
  readonly kind: 'number' | 'text' | 'depth'
}

export interface LenientJson {
  readonly value: unknown
  readonly faults: readonly JsonFault[]
  /** Returns the text of an object or a list that contains a fault. */
  readonly textOf: (holder: object) => string | undefined
}

/** Names that a message shows of a path that leads too deep. */
const SHOWN_NAMES = 5
const LONE_HALF = '\udcff'
const SPACES = new Set([32, 10, 13, 9])
const WORD = /[\w.+-]+/y
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/
/** A double keeps every digit of it. */
const SHORT_NUMBER = /^[\d.-]{1,15}$/
const NOT_A_NUMBER = /^[+-]?nan$/i
const INFINITY = /^([+-]?)inf(?:inity)?$/i
// oxlint-disable-next-line no-control-regex
const CONTROL_CHARACTERS = /[\0-\u001f]/g

/**
 * Parses a text that `JSON.parse` refuses, and lists the values for which it did. NaN and the infinities are accepted
 * inside an object or a list, and control characters inside texts. What lies too deep is left out. No number changes.
 * Throws a `SyntaxError` for
 * anything else, such as a text that was cut off. Takes ten times as long as `JSON.parse`.
 */
export function parseLenientJson(text: string): LenientJson {
  const parser = new LenientParser(text)
  const value = parser.parse()
  return { value, faults: parser.faults, textOf: (holder) => parser.textOf(holder) }
}

class LenientParser {
  readonly faults: JsonFault[] = []
  readonly #text: string
  #at = 0
  /** Objects and lists that are not closed yet. */
  readonly #open: object[] = []
  /** The names and the indexes that lead to the value that is parsed. */
  readonly #path: (string | number)[] = []
  readonly #faulty = new Set<object>()
  /** The objects and lists in which something was left out. */
  readonly #tooDeep = new Set<object>()
  readonly #places = new Map<object, readonly [from: number, to: number]>()

  constructor(text: string) {
    this.#text = text
  }

  parse(): unknown {
    if (this.#text.startsWith('\ufeff')) this.#at = 1
    const value = this.#value()
    this.#skipSpace()
    if (this.#at < this.#text.length) throw this.#unexpected()
    return value
  }

  textOf(holder: object): string | undefined {
    const place = this.#places.get(holder)
    return place && this.#text.slice(...place)
  }

  #value(): unknown {
    this.#skipSpace()
    const first = this.#text[this.#at]
    if ((first === '{' || first === '[') && this.#open.length === MAX_LEVELS) return this.#leaveOut()
    if (first === '{') return this.#members({}, '}', (object) => this.#member(object))
    if (first === '[') return this.#members<unknown[]>([], ']', (list) => this.#item(list))
    return first === '"' ? this.#string() : this.#word()
  }

  /** Parses what stands between two brackets, with commas between. */
  #members<Holder extends object>(holder: Holder, end: string, parseOne: (holder: Holder) => void): Holder {
    const from = this.#at
    this.#open.push(holder)
    this.#at += 1
    this.#skipSpace()
    if (this.#text[this.#at] !== end) {
      parseOne(holder)
      this.#skipSpace()
      while (this.#text[this.#at] === ',') {
        this.#at += 1
        parseOne(holder)
        this.#skipSpace()
      }
      if (this.#text[this.#at] !== end) throw this.#unexpected()
    }
    this.#at += 1
    this.#open.pop()
    if (this.#faulty.has(holder)) this.#places.set(holder, [from, this.#at])
    return holder
  }

  #member(object: Record<string, unknown>): void {
    this.#skipSpace()
    if (this.#text[this.#at] !== '"') throw this.#unexpected()
    const name = this.#string({ isName: true })
    this.#skipSpace()
    if (this.#text[this.#at] !== ':') throw this.#unexpected()
    this.#at += 1
    this.#path.push(name)
    const value = this.#value()
    this.#path.pop()
    // An assignment to `__proto__` would not make a member.
    if (name === '__proto__')
      Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true })
    else object[name] = value
  }

  #item(list: unknown[]): void {
    this.#path.push(list.length)
    list.push(this.#value())
    this.#path.pop()
  }

  #string({ isName = false } = {}): string {
    const from = this.#at
    const end = this.#endOfString(from + 1)
    this.#at = end + 1
    const source = this.#text.slice(from + 1, end)
    const value = source.includes('\\') ? unescaped(source) : source
    // The text was decoded from bytes, so half of a pair stands for a byte. An escape such as \ud800 is well-formed.
    if (source.isWellFormed()) return value
    const what = isName ? 'has a member whose name holds' : 'holds'
    this.#addFault('text', `${what} the byte ${invalidByte(source) ?? 'of a broken character'}, which is not UTF-8`)
    // A byte behind the escape of half a pair completes that pair. Nothing would show the fault then.
    return value.isWellFormed() ? value + LONE_HALF : value
  }

  /** Returns the offset of the closing quote. */
  #endOfString(from: number): number {
    const text = this.#text
    for (let at = from; at < text.length; at += 1) {
      const code = text.charCodeAt(at)
      if (code === 34) return at
      if (code === 92) at += 1
    }
    throw new SyntaxError('JSON that ends inside a text')
  }

  /** Passes an object or a list without a call for each of its levels. */
  #leaveOut(): null {
    const holder = this.#open.at(-1)
    if (holder && !this.#tooDeep.has(holder)) {
      this.#tooDeep.add(holder)
      this.#addFault('depth', TOO_DEEP)
    }
    let levels = 0
    do {
      const character = this.#text[this.#at]
      if (character === undefined) throw this.#unexpected()
      if (character === '"') this.#at = this.#endOfString(this.#at + 1)
      else if (character === '{' || character === '[') levels += 1
      else if (character === '}' || character === ']') levels -= 1
      this.#at += 1
    } while (levels > 0)
    return null
  }

  /** Parses a number, `true`, `false`, `null`, NaN or an infinity. */
  #word(): unknown {
    WORD.lastIndex = this.#at
    const word = WORD.exec(this.#text)?.[0]
    if (word === undefined) throw this.#unexpected()
    const value = this.#wordValue(word)
    this.#at += word.length
    return value
  }

  #wordValue(word: string): unknown {
    switch (word) {
      case 'true':
        return true
      case 'false':
        return false
      case 'null':
        return null
      default:
        if (!NUMBER.test(word)) return this.#nonFinite(word)
        return SHORT_NUMBER.test(word) ? Number(word) : exactNumber(word)
    }
  }

  #nonFinite(word: string): number {
    const [, sign] = INFINITY.exec(word) ?? []
    // A body that is nothing but this word is a text, not JSON.
    if (this.#open.length === 0 || (sign === undefined && !NOT_A_NUMBER.test(word))) throw this.#unexpected()
    this.#addFault('number', `holds ${word}, which JSON does not know`)
    if (sign === undefined) return Number.NaN
    return sign === '-' ? -Infinity : Infinity
  }

  #addFault(kind: JsonFault['kind'], problem: string): void {
    const holders = [...this.#open]
    for (const holder of holders) this.#faulty.add(holder)
    const isCut = kind === 'depth' && this.#path.length > SHOWN_NAMES
    const path = `${this.#path.slice(0, isCut ? SHOWN_NAMES : undefined).join('.')}${isCut ? '.…' : ''}`.toWellFormed()
    this.faults.push({ kind, problem, path: path === '' ? 'the body' : path, holders })
  }

  #skipSpace(): void {
    while (SPACES.has(this.#text.charCodeAt(this.#at))) this.#at += 1
  }

  #unexpected(): SyntaxError {
    const { length } = this.#text
    if (this.#at >= length) return new SyntaxError('JSON that ends too early')
    return new SyntaxError(`Unexpected ${JSON.stringify(this.#text[this.#at])} in JSON at position ${this.#at}`)
  }
}

/** Returns the text of a JSON string. Control characters in it need not be escaped. */
const unescaped = (source: string): string =>
  JSON.parse(`"${source.replace(CONTROL_CHARACTERS, escapeCharacter)}"`) as string

const escapeCharacter = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
