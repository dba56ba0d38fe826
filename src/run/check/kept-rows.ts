import type { Table } from '../../model/recipe.ts'
import { digest } from '../../value/digest.ts'

/**
 * The first rows of a reading. One with the key of another takes its place, as in the table: a list that has moved is
 * read once more.
 */
export class KeptRows {
  readonly rows: object[] = []
  readonly #table: Pick<Table, 'key' | 'write'>
  readonly #most: number
  readonly #indexOf = new Map<string, number>()

  /** @param most Rows that are kept. */
  constructor(table: Pick<Table, 'key' | 'write'>, most: number) {
    this.#table = table
    this.#most = most
  }

  add(row: object): void {
    const { key, write } = this.#table
    if (key.length === 0) {
      if (this.rows.length < this.#most) this.rows.push(row)
      return
    }
    const text = digest(key.map((field) => (row as Readonly<Record<string, unknown>>)[field]))
    const index = this.#indexOf.get(text)
    if (index === undefined) {
      if (this.rows.length >= this.#most) return
      this.#indexOf.set(text, this.rows.push(row) - 1)
    } else if (write !== 'append') this.rows[index] = row
  }
}
