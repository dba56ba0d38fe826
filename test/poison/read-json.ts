// A reader of JSON of its own: what the product reads is compared with this, so it shares no code with it.

/** A number as it is written; also NaN and the infinities, which JSON does not know. */
export class NumberText {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** A value of JSON in which nothing is rounded. Of equal names in an object, the last one counts. */
export type Value = null | boolean | string | NumberText | Value[] | Map<string, Value>

const NUMBER = /-?(?:\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|Infinity)|NaN/y
const SPACES = /[ \n\r\t]*/y
const WORDS = [
  ['null', null],
  ['true', true],
  ['false', false],
] as const
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}

/** Reads one value. Throws a SyntaxError for other text. */
export function readJson(text: string): Value {
  const reader = new Reader(text)
  const value = reader.value()
  reader.end()
  return value
}

class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  /** Calls itself once a level, so that deep values need little of the stack. */
  value(): Value {
    this.#space()
    switch (this.#text.charAt(this.#at)) {
      case '"':
        return this.#string()
      case '[': {
        const list: Value[] = []
        while (this.#next(list.length > 0, ']')) list.push(this.value())
        return list
      }
      case '{': {
        const members = new Map<string, Value>()
        for (let isLater = false; this.#next(isLater, '}'); isLater = true) {
          const name = this.#string()
          this.#space()
          this.#take(':')
          members.set(name, this.value())
        }
        return members
      }
      default:
        return this.#word()
    }
  }

  end(): void {
    this.#space()
    if (this.#at < this.#text.length) this.#fail()
  }

  /** Passes the bracket or the comma before a member. Returns false, and passes the closing bracket, at the end. */
  #next(isLater: boolean, close: string): boolean {
    if (!isLater) this.#at += 1
    this.#space()
    if (this.#text[this.#at] === close) {
      this.#at += 1
      return false
    }
    if (isLater) this.#take(',')
    this.#space()
    return true
  }

  #word(): Value {
    for (const [word, value] of WORDS)
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length
        return value
      }
    NUMBER.lastIndex = this.#at
    const [number] = NUMBER.exec(this.#text) ?? this.#fail()
    this.#at += number.length
    return new NumberText(number)
  }

  #string(): string {
    const text = this.#text
    if (text[this.#at] !== '"') this.#fail()
    let read = ''
    for (let from = this.#at + 1; ; from = this.#at) {
      let to = from
      while (to < text.length && text[to] !== '"' && text[to] !== '\\') to += 1
      read += text.slice(from, to)
      this.#at = to
      if (text[to] === '"') {
        this.#at += 1
        return read
      }
      const letter = text[to + 1] ?? ''
      if (letter === 'u') {
        read += String.fromCharCode(Number.parseInt(text.slice(to + 2, to + 6), 16))
        this.#at += 6
      } else {
        read += ESCAPES[letter] ?? this.#fail()
        this.#at += 2
      }
    }
  }

  #space(): void {
    SPACES.lastIndex = this.#at
    this.#at += SPACES.exec(this.#text)?.[0].length ?? 0
  }

  #take(character: string): void {
    if (this.#text[this.#at] !== character) this.#fail()
    this.#at += 1
  }

  #fail(): never {
    throw new SyntaxError(`no JSON at ${this.#at}: ${this.#text.slice(this.#at, this.#at + 40)}`)
  }
}
