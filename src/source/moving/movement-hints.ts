// What hints that a list has moved, where its pages cannot overlap.
import { digest } from '../../value/digest.ts'
import { KeySet } from './key-set.ts'
import { RecordIdentity } from './record-identity.ts'

/** Records at each end of a page that are compared where records have no known key. */
const AT_BORDERS = 4
const DOUBLE = 'a record came twice'
/** Fields that are the key of most APIs' records. */
const USUAL_KEYS = ['id', '_id', 'uuid', 'guid']

/**
 * Watches the pages of one pass through a list. A record that comes twice, and a total that changes, show that records
 * may have moved over a border between two pages. So does one that grows: of two records that came, one may be seen
 * because another one has gone.
 */
export class MovementHints {
  #identity: RecordIdentity
  readonly #keys = new KeySet()
  /** False if two records of one page had the same key: then it is none. */
  #hasKeys: boolean | undefined
  #lastEnd: readonly string[] = []
  #totals: ReadonlyMap<string, number>
  #hint: string | undefined
  readonly #before: ReadonlySet<string> | undefined
  /** The records of this pass and of the one before, in their order. Undefined if a part of them is not known. */
  #digest: string | undefined
  #lastDigest: string | undefined

  /** Without a key of the table, a usual one is tried. */
  constructor(
    identity: RecordIdentity,
    {
      hasKeys,
      hint,
      totals,
      isWhole,
      before,
    }: {
      readonly hasKeys: boolean
      readonly hint?: string | undefined
      readonly totals: ReadonlyMap<string, number>
      /** The pass begins with the first page. */
      readonly isWhole: boolean
      /** Digests of passes before the slice restarted. */
      readonly before: ReadonlySet<string> | undefined
    },
  ) {
    this.#identity = identity
    this.#before = before
    this.#hint = hint
    this.#totals = totals
    this.#hasKeys = hasKeys || undefined
    this.#digest = isWhole ? '' : undefined
  }

  /** The first hint of this pass, for messages. Two equal passes show that a record is in the list twice. */
  get hint(): string | undefined {
    const isAtRest =
      this.#digest !== undefined && (this.#digest === this.#lastDigest || this.#before?.has(this.#digest) === true)
    return isAtRest && this.#hint === DOUBLE ? undefined : this.#hint
  }

  /** Call it for each page in order. `totals` are the numbers of records that its response states, by name. */
  add(records: readonly unknown[], totals: ReadonlyMap<string, number>): void {
    for (const [name, total] of totals) {
      const before = this.#totals.get(name) ?? total
      if (total !== before) this.#hint ??= `${name} changed from ${before} to ${total}`
    }
    this.#totals = totals
    if (this.#hasKeys === undefined && records.length > 0) this.#tryUsualKey(records[0])
    const isDouble = this.#hasKeys && !this.#keys.isFull ? this.#hasDoubleKey(records) : this.#hasDoubleBorder(records)
    if (this.#digest !== undefined) this.#digest = digest(this.#identity.textOf(records), this.#digest)
    if (isDouble) this.#hint ??= DOUBLE
  }

  /** A digest of the records of this pass. Undefined if a part of them is not known. */
  get passDigest(): string | undefined {
    return this.#digest
  }

  note(hint: string): void {
    this.#hint ??= hint
  }

  /** Forgets the pages of a pass. */
  clear(): void {
    this.#keys.clear()
    this.#lastEnd = []
    this.#totals = new Map()
    this.#hint = undefined
    this.#lastDigest = this.#digest
    this.#digest = ''
  }

  #tryUsualKey(record: unknown): void {
    const identities = USUAL_KEYS.map((name) => new RecordIdentity([name], undefined))
    const usual = identities.find((identity) => identity.keyOf(record) !== undefined)
    this.#hasKeys = usual !== undefined
    if (usual) this.#identity = usual
  }

  #hasDoubleKey(records: readonly unknown[]): boolean {
    let isDouble = false
    for (const record of records) {
      const key = this.#identity.keyOf(record)
      if (key !== undefined && !this.#keys.add(key)) isDouble = true
    }
    if (!isDouble) return false
    const keys = records.map((record) => this.#identity.keyOf(record)).filter((key) => key !== undefined)
    // Two records of one page have the same key, so it is none.
    if (new Set(keys).size < keys.length) this.#hasKeys = false
    return this.#hasKeys === true
  }

  #hasDoubleBorder(records: readonly unknown[]): boolean {
    const anchorOf = (record: unknown): string => this.#identity.anchorOf(record)
    const begin = records.slice(0, AT_BORDERS).map(anchorOf)
    const isDouble = begin.some((anchor) => this.#lastEnd.includes(anchor))
    this.#lastEnd = records.slice(-AT_BORDERS).map(anchorOf)
    return isDouble
  }
}
