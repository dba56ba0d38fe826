// Counts the different keys of a reading, in 4 bytes a key.
import { Decimal } from '../../value/decimal.ts'

/** Keys that are counted at most. */
export const MAX_KEYS = 1_000_000
/** Share of a table's slots that may be taken. */
const FULL = 0.7

/**
 * Holds 32 bits of each key's hash in open addressing, where 20 other bits choose the slot. So two keys that differ are
 * hardly ever taken for one, and one key is never taken for two: the count is never too high.
 */
export class DifferentKeys {
  readonly #fields: readonly string[]
  readonly #tables: Table[]
  #count = 0
  /** False once a record had no key that could be compared, or too many came. */
  #isKnown = true
  #low = 0
  #high = 0

  /** `expected` keys fit without another table. */
  constructor(fields: readonly string[], expected: number) {
    this.#fields = fields
    this.#tables = [newTable(expected / FULL)]
  }

  /** The number of different keys, undefined if it is not known. */
  get count(): number | undefined {
    return this.#isKnown ? this.#count : undefined
  }

  add(records: readonly unknown[]): void {
    for (const record of records) {
      if (!this.#isKnown) return
      this.#isKnown = this.#hash(record) && this.#count < MAX_KEYS
      if (this.#isKnown && this.#insert()) this.#count++
    }
  }

  /** Returns false if the key is there. */
  #insert(): boolean {
    let slot = 0
    let table: Table | undefined
    for (table of this.#tables) {
      const { slots } = table
      const mask = slots.length - 1
      for (slot = this.#high & mask; slots[slot] !== 0; slot = (slot + 1) & mask)
        if (slots[slot] === this.#low) return false
    }
    if (!table) return false
    table.slots[slot] = this.#low
    if (++table.taken >= table.slots.length * FULL) this.#tables.push(newTable(table.slots.length * 2))
    return true
  }

  /** Puts the hash of a record's key into `#low` and `#high`. Returns false if the record has no such key. */
  #hash(record: unknown): boolean {
    if (typeof record !== 'object' || record === null) return false
    let low = 0xdeadbeef
    let high = 0x41c6ce57
    for (const field of this.#fields) {
      const text = keyText((record as Readonly<Record<string, unknown>>)[field])
      if (text === undefined) return false
      for (let index = 0; index < text.length; index++) {
        const code = text.charCodeAt(index)
        low = Math.imul(low ^ code, 2_654_435_761)
        high = Math.imul(high ^ code, 1_597_334_677)
      }
      // Ends the field, so that ('ab', 'c') and ('a', 'bc') differ.
      low = Math.imul(low ^ 0x1_0000, 2_246_822_507)
      high = Math.imul(high ^ 0x1_0000, 3_266_489_909)
    }
    low = Math.imul(low ^ (low >>> 16), 2_246_822_507) ^ Math.imul(high ^ (high >>> 13), 3_266_489_909)
    high = Math.imul(high ^ (high >>> 16), 2_246_822_507) ^ Math.imul(low ^ (low >>> 13), 3_266_489_909)
    // 0 is a free slot.
    this.#low = low >>> 0 || 1
    this.#high = high >>> 0
    return true
  }
}

interface Table {
  readonly slots: Uint32Array
  taken: number
}

const newTable = (slots: number): Table => ({
  slots: new Uint32Array(2 ** Math.ceil(Math.log2(Math.max(64, slots)))),
  taken: 0,
})

/** Returns undefined for what is no value of a key. 1 and '1' are one key, as they are in a column of a table. */
function keyText(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value)
  if (value instanceof Decimal) return value.text
  return value instanceof Date ? value.toISOString() : undefined
}
