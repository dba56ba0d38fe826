// Keys that were read: 8 bytes for each.

/** Keys that are kept, in at most 32 MB. */
const MAX_KEYS = 1_000_000
const FIRST_SIZE = 1_024

/**
 * A set of the hashes of keys. Hashes of 53 bits: with 32 bits, two of 100,000 keys would be equal in two of three
 * readings, and the list would be read again for nothing.
 */
export class KeySet {
  /** 0 is an empty place. */
  #places = new Float64Array(FIRST_SIZE)
  #size = 0

  get isFull(): boolean {
    return this.#size >= MAX_KEYS
  }

  clear(): void {
    this.#places = new Float64Array(FIRST_SIZE)
    this.#size = 0
  }

  /** Adds a key. Returns false if it was there. */
  add(key: string): boolean {
    if (!this.#insert(this.#places, hash53(key))) return false
    this.#size++
    if (this.#size * 2 > this.#places.length) this.#grow()
    return true
  }

  has(key: string): boolean {
    const hash = hash53(key)
    const mask = this.#places.length - 1
    let at = hash & mask
    while (this.#places[at] !== 0 && this.#places[at] !== hash) at = (at + 1) & mask
    return this.#places[at] === hash
  }

  #insert(places: Float64Array, hash: number): boolean {
    const mask = places.length - 1
    let at = hash & mask
    for (let found = places[at]; found !== 0; found = places[at]) {
      if (found === hash) return false
      at = (at + 1) & mask
    }
    places[at] = hash
    return true
  }

  #grow(): void {
    const larger = new Float64Array(this.#places.length * 2)
    for (const hash of this.#places) if (hash !== 0) this.#insert(larger, hash)
    this.#places = larger
  }
}

/** Returns a hash of 53 bits that is not 0. */
function hash53(text: string): number {
  let high = 0xdeadbeef
  let low = 0x41c6ce57
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    high = Math.imul(high ^ code, 2_654_435_761)
    low = Math.imul(low ^ code, 1_597_334_677)
  }
  high = Math.imul(high ^ (high >>> 16), 2_246_822_507) ^ Math.imul(low ^ (low >>> 13), 3_266_489_909)
  low = Math.imul(low ^ (low >>> 16), 2_246_822_507) ^ Math.imul(high ^ (high >>> 13), 3_266_489_909)
  return (low >>> 0) + (high >>> 11) * 4_294_967_296 || 1
}
