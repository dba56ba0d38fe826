import { compareValues } from './compare-values.ts'
import type { FakeRecord } from './fake-records.ts'

/** A record with its place in the list. A place is never given twice, so a cursor can name it. */
export interface Placed {
  readonly place: number
  readonly record: FakeRecord
  /** The number of the last change, for delta tokens. */
  readonly change: number
}

/**
 * The records of one path, in their order. They can be changed while the list is read.
 *
 * @example
 * api.list('/orders').move(0) // as if the first record had been touched in a list by its last change
 */
export class FakeList {
  #placed: Placed[]
  #first = 0
  #next: number
  #change = 0
  readonly #orderBy: string | undefined

  constructor(given: readonly object[], orderBy?: string) {
    const records = given as readonly FakeRecord[]
    const ordered = orderBy === undefined ? records : records.toSorted((a, b) => compareValues(a[orderBy], b[orderBy]))
    this.#orderBy = orderBy
    this.#placed = ordered.map((record, place) => ({ place, record, change: 0 }))
    this.#next = records.length
  }

  /** The records as the list has them now. */
  get records(): readonly FakeRecord[] {
    return this.#placed.map(({ record }) => record)
  }

  get placed(): readonly Placed[] {
    return this.#placed
  }

  /** The number of the last change; 0 at the start. */
  get change(): number {
    return this.#change
  }

  /**
   * Moves a record to the end, as if it had been touched in a list that is in order of the last change. In a list in
   * order of a field, the field gets a value after all others. Does nothing if there is no such record.
   */
  move(index: number): void {
    const [moved] = this.#placed.splice(index, 1)
    if (!moved) return
    const field = this.#orderBy
    const record = field === undefined ? moved.record : { ...moved.record, [field]: this.#after(field) }
    this.#placed.push({ place: this.#next++, record, change: (this.#change += 1) })
  }

  /** Inserts a record at the start; in a list in order of a field, by its value. */
  insert(given: object): void {
    const record = given as FakeRecord
    const change = (this.#change += 1)
    const field = this.#orderBy
    if (field === undefined) {
      this.#placed.unshift({ place: (this.#first -= 1), record, change })
      return
    }
    this.#placed.push({ place: this.#next++, record: { [field]: this.#after(field), ...record }, change })
    this.#placed.sort((a, b) => compareValues(a.record[field], b.record[field]))
  }

  /** Changes fields of a record where it stands. Does nothing if there is no such record. */
  update(index: number, fields: object): void {
    const placed = this.#placed[index]
    if (placed)
      this.#placed[index] = { ...placed, record: { ...placed.record, ...fields }, change: (this.#change += 1) }
  }

  /** Removes a record. Does nothing if there is no such record. */
  remove(index: number): void {
    this.#placed.splice(index, 1)
    this.#change += 1
  }

  /** Returns a value of the field after that of all records. */
  #after(field: string): unknown {
    const last = this.#placed.at(-1)?.record[field]
    if (typeof last === 'number') return last + 1
    const time = Date.parse(String(last))
    return Number.isNaN(time) ? `${String(last)}~` : new Date(time + 1000).toISOString()
  }
}
