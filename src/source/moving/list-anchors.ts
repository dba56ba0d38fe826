// The records before a place in a list: they show whether the list has moved since they were read.
import { anchorsIn } from './list-state.ts'
import { ANCHOR_LENGTH, keyPart, type RecordIdentity } from './record-identity.ts'

/** Anchors that a position keeps. */
const MAX_ANCHORS = 64
/** Anchors that one page adds: its last records. Those of earlier pages stay, so that a longer shift is found too. */
const PER_PAGE = 4
/** So many of the last anchors belong to records that follow each other. */
export const CONTIGUOUS = PER_PAGE

/** The anchors of a list, as text, the oldest first. */
export class ListAnchors {
  readonly #identity: RecordIdentity
  #text: string

  constructor(identity: RecordIdentity, stored = '') {
    this.#identity = identity
    this.#text = stored
  }

  get text(): string {
    return this.#text
  }

  get isEmpty(): boolean {
    return this.#text === ''
  }

  anchorOf(record: unknown): string {
    return this.#identity.anchorOf(record)
  }

  clear(): void {
    this.#text = ''
  }

  /** Adds the last records of a page. */
  add(records: readonly unknown[]): void {
    const added = records.slice(-PER_PAGE).map((record) => this.#identity.anchorOf(record))
    this.#text = (this.#text + added.join('')).slice(-MAX_ANCHORS * ANCHOR_LENGTH)
  }

  /** Returns the anchors of the last records. */
  last(count: number): string[] {
    return count === 0 ? [] : anchorsIn(this.#text.slice(-count * ANCHOR_LENGTH))
  }

  /** True if a record is the last one that was read, and was not touched since. */
  isLast(record: unknown): boolean {
    return this.#text.endsWith(this.#identity.anchorOf(record)) && !this.isEmpty
  }

  /** True if a record has the key of the last one that was read. It may have been touched since. */
  hasLastKey(record: unknown): boolean {
    if (this.isEmpty || this.#identity.keyOf(record) === undefined) return false
    return keyPart(this.#identity.anchorOf(record)) === keyPart(this.#text.slice(-ANCHOR_LENGTH))
  }

  /** Returns the keys of records as one text. */
  keysOf(records: readonly unknown[]): string {
    return JSON.stringify(records.map((record) => this.#identity.keyOf(record) ?? null))
  }

  /**
   * Returns for each record how many anchors are behind it, 0 for the last one; undefined if it is no anchor. `byKey`:
   * whatever its content is.
   */
  find(records: readonly unknown[], { byKey = false } = {}): (number | undefined)[] {
    const part = byKey ? keyPart : (anchor: string): string => anchor
    const ages = new Map<string, number>()
    const { length } = this.#text
    // From the oldest one on, so that of equal anchors the last one counts.
    for (let at = 0; at < length; at += ANCHOR_LENGTH)
      ages.set(part(this.#text.slice(at, at + ANCHOR_LENGTH)), (length - at) / ANCHOR_LENGTH - 1)
    return records.map((record) => ages.get(part(this.#identity.anchorOf(record))))
  }
}
