// How a record is known again in a list that moves.
import { hash } from 'node:crypto'
import type { Incremental } from '../../model/recipe.ts'
import { exactJson } from '../../value/json/stored-json.ts'
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
  readonly #cursorAt: Incremental['at'] | undefined

  constructor(key: readonly string[], cursorAt: Incremental['at'] | undefined) {
    this.#key = key
    this.#cursorAt = cursorAt
  }

  /** Returns the key as text; undefined if the record does not have all of its fields, or the table has no key. */
  keyOf(record: unknown): string | undefined {
    const texts = keyTexts(record, this.#key)
    return texts?.length === 1 ? texts[0] : texts && JSON.stringify(texts)
  }

  anchorOf(record: unknown): string {
    const key = this.keyOf(record)
    if (key === undefined) return hashText(exactJson(record), ANCHOR_LENGTH)
    return hashText(key, HALF) + hashText(this.#cursorOf(record) ?? exactJson(record), HALF)
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
