// How a record is known again in a list that moves.
import { hash } from 'node:crypto'
import type { Incremental } from '../../model/recipe.ts'
import { contentOf } from '../../value/json/content-of.ts'
import { keyTexts, scalarText } from '../../value/key-texts.ts'
import { valueFrom } from '../response-value.ts'

/** Characters of an anchor: half of them for the key, half for the content. */
export const ANCHOR_LENGTH = 16
const HALF = ANCHOR_LENGTH / 2

/**
 * Makes anchors of records. Two anchors are equal if the record is the same and was not touched in between: with a
 * cursor by its value, else by the whole content.
 */
export class RecordIdentity {
  readonly #key: readonly string[]
  /** The only field of the key, if it has one field: this is the fast way. */
  readonly #field: string | undefined
  readonly #cursorAt: Incremental['at'] | undefined

  constructor(key: readonly string[], cursorAt: Incremental['at'] | undefined) {
    this.#key = key
    this.#field = key.length === 1 ? key[0] : undefined
    this.#cursorAt = cursorAt
  }

  /** Returns the key as text; undefined if the record does not have all of its fields, or the table has no key. */
  keyOf(record: unknown): string | undefined {
    if (this.#field !== undefined && typeof record === 'object' && record !== null)
      return scalarText((record as Readonly<Record<string, unknown>>)[this.#field])
    const texts = keyTexts(record, this.#key)
    return texts && JSON.stringify(texts)
  }

  /** Returns the keys of records as one text, which is hashed faster than a list of them; without a key the anchor. */
  textOf(records: readonly unknown[]): string {
    return JSON.stringify(records.map((record) => this.keyOf(record) ?? this.anchorOf(record)))
  }

  anchorOf(record: unknown): string {
    const key = this.keyOf(record)
    if (key === undefined) return hashText(contentOf(record), ANCHOR_LENGTH)
    return hashText(key, HALF) + hashText(this.#cursorOf(record) ?? contentOf(record), HALF)
  }

  /** Returns the anchors of records as one text. */
  anchorsOf(records: readonly unknown[]): string {
    return records.map((record) => this.anchorOf(record)).join('')
  }

  #cursorOf(record: unknown): string | undefined {
    if (this.#cursorAt === undefined) return undefined
    try {
      return scalarText(valueFrom(this.#cursorAt, record))
    } catch {
      return undefined // The follower of the cursor reports it.
    }
  }
}

/** Returns the half of an anchor that belongs to the key. */
export const keyPart = (anchor: string): string => anchor.slice(0, HALF)

const hashText = (text: string, length: number): string => hash('sha1', text, 'base64').slice(0, length)
