// Counts the different keys of a reading, in 4 bytes a key.
import { Decimal } from '../../value/decimal.ts'

/** Keys that are counted at most. */
export const MAX_KEYS = 1_000_000
/** Share of a table's slots that may be taken. */
const FULL = 0.7

/**
 * Holds 32 bits of each key's hash in open addressing, where other bits choose the slot. So two keys that differ are
 * hardly ever taken for one, and one key is never taken for two: the count is never too high.
 */
export class DifferentKeys {
  readonly #fields: readonly string[]
  /** The types of the fields of the first key. */
  readonly #types: string[] = []
  /** Full tables, and one that is not. */
  readonly #tables: Table[]
  readonly #max: number
  #count = 0
  /** False once a record had no key that could be compared, or too many came. */
  #isKnown = true
  #isUnique = true

  /** `expected` keys fit without another table. */
  constructor(fields: readonly string[], expected: number, max = MAX_KEYS) {
    this.#max = max
    this.#fields = fields
    this.#tables = [newTable(expected / FULL)]
  }

  /** The number of different keys, undefined if it is not known. */
  get count(): number | undefined {
    return this.#isKnown ? this.#count : undefined
  }

  /** False if two records of one page had the same key: then it is no key of the list. */
  get isUnique(): boolean {
    return this.#isUnique
  }

  /** Call it for each page. */
  add(records: readonly unknown[]): void {
    let hasDouble = false
    for (const record of records) {
      if (!this.#isKnown) return
      this.#isKnown = hashKey(record, this.#fields, this.#types)
      if (!this.#isKnown) return
      if (insert(this.#tables)) this.#count++
      else hasDouble = true
      if (this.#count > this.#max) this.#isKnown = false
    }
    this.#isUnique &&= !hasDouble || !hasEqualKeys(records, this.#fields)
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

const { imul, floor } = Math
const { isInteger, isSafeInteger } = Number

// The hash of the last key. A result in two variables of the module costs no allocation for each record.
let low = 0
let high = 0

/** Hashes a record's key. Returns false if the record has none, or one of another type than those before. */
function hashKey(record: unknown, fields: readonly string[], types: string[]): boolean {
  if (typeof record !== 'object' || record === null) return false
  low = 0xdeadbeef
  high = 0x41c6ce57
  for (let index = 0; index < fields.length; index++) {
    const value = (record as Readonly<Record<string, unknown>>)[fields[index] ?? '']
    // 1 and '1' may be one key in a column, so values of two types cannot be told apart. A whole number beyond 2^53
    // arrives as a bigint, so both types may be in one list of numbers.
    const type = typeof value === 'bigint' ? 'number' : typeof value
    if (type !== (types[index] ??= type)) return false
    const number = typeof value === 'bigint' ? Number(value) : value
    if (typeof number === 'number' && isSafeInteger(number)) mixNumber(number)
    else if (!mixText(keyText(value))) return false
  }
  const first = imul(low ^ (low >>> 16), 2_246_822_507)
  const second = imul(high ^ (high >>> 13), 3_266_489_909)
  // 0 is a free slot.
  low = (first ^ second) >>> 0 || 1
  high = second ^ (first >>> 15)
  return true
}

function hasEqualKeys(records: readonly unknown[], fields: readonly string[]): boolean {
  const keyOf = (record: unknown): string =>
    JSON.stringify(fields.map((field) => keyText((record as Readonly<Record<string, unknown>>)[field])))
  return new Set(records.map(keyOf)).size < records.length
}

function mixNumber(value: number): void {
  const upper = floor(value / 4_294_967_296)
  low = imul(low ^ value, 2_654_435_761) ^ upper
  high = imul(high ^ value, 1_597_334_677) ^ imul(upper, 2_246_822_507)
}

function mixText(text: string | undefined): boolean {
  if (text === undefined) return false
  let [a, b] = [low, high]
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    a = imul(a ^ code, 2_654_435_761)
    b = imul(b ^ code, 1_597_334_677)
  }
  // Ends the field, so that ('ab', 'c') and ('a', 'bc') differ.
  low = imul(a ^ 0x1_0000, 2_246_822_507)
  high = imul(b ^ 0x1_0000, 3_266_489_909)
  return true
}

/** Returns undefined for what is no value of a key. */
function keyText(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  // 1e21 and 10n ** 21n are one key.
  if (typeof value === 'number' && isInteger(value)) return String(BigInt(value))
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value)
  return value instanceof Decimal ? value.text : undefined
}

/** Puts the hash of the last key into the last table. Returns false if one of the tables has it. */
function insert(tables: Table[]): boolean {
  for (let index = 0; ; index++) {
    const table = tables[index]
    if (!table) return false
    const { slots } = table
    const mask = slots.length - 1
    let slot = high & mask
    for (let found = slots[slot]; found !== 0; found = slots[slot]) {
      if (found === low) return false
      slot = (slot + 1) & mask
    }
    if (index < tables.length - 1) continue
    slots[slot] = low
    if (++table.taken >= slots.length * FULL) tables.push(newTable(slots.length * 2))
    return true
  }
}
