// What the parsers of all formats have in common: bytes go in as they arrive, and whole records come out.
import type { Hash } from 'node:crypto'

export interface RecordParser {
  /** Takes bytes, and returns the records that they complete. Throws a `BrokenBodyError`. */
  push: (bytes: Buffer) => RecordPart | Promise<RecordPart>
  /** Returns the records at the end. Throws a `BrokenBodyError` if the body ends inside something. */
  end: () => RecordPart | Promise<RecordPart>
  /** After the end: the body with an empty list in place of its records. Undefined if it is nothing but a list. */
  readonly envelope: unknown
  /** Bytes of a record that is not whole yet. */
  readonly pendingBytes: number
}

/** Whole records, in the order of the body. */
export interface RecordPart {
  readonly count: number
  /** Adds the texts of some records to a hash. It is the same wherever parts begin. */
  addTo: (hash: Hash, from: number, to: number) => void
  /** Parses the records from an index on. Some may be an `UnreadableRecord`. Throws a `BrokenBodyError`. */
  records: (from: number) => unknown[]
}

/** Bytes that do not have their format. The message follows `answered 200 with `. */
export class BrokenBodyError extends Error {
  /** The body ended too early; false: more bytes would not help. */
  readonly isCut: boolean

  constructor(message: string, { isCut = false, cause }: { isCut?: boolean; cause?: unknown } = {}) {
    super(message, { cause })
    this.isCut = isCut
  }
}

/** Records that are parsed already, with a text of each that shows whether it is the same. */
export class ParsedPart implements RecordPart {
  readonly #records: unknown[] = []
  readonly #texts: string[] = []

  get count(): number {
    return this.#records.length
  }

  add(record: unknown, text: string): void {
    this.#records.push(record)
    this.#texts.push(text)
  }

  addTo(hash: Hash, from: number, to: number): void {
    if (from < to) hash.update(`${this.#texts.slice(from, to).join('\n')}\n`)
  }

  records(from: number): unknown[] {
    return from === 0 ? this.#records : this.#records.slice(from)
  }
}
