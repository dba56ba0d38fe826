import type { Page, Reject } from '../../model/page.ts'
import type { Table } from '../../model/recipe.ts'
import { defined } from '../../value/defined.ts'
import { compileRowEncoder, type RowEncoder, type RowFacts } from '../encode/row-encoder.ts'
import type { Fields } from '../shape/fields.ts'
import type { LoadedColumn } from '../shape/loaded-column.ts'
import { FieldMismatch } from '../values/type-mismatch.ts'
import { isRecord } from '../values/value-kind.ts'

/** The key of a row that goes, as COPY text, and the version from which on it is gone. */
export interface EncodedTombstone {
  /** The key as the rows of a page have it. */
  readonly key: string
  /** The version as COPY text: `\N` if the record has none. */
  readonly version: string
  /** The line of COPY text for `columns`. */
  readonly line: string
  readonly columns: readonly LoadedColumn[]
  readonly versionColumn: LoadedColumn | undefined
  /** How many rows of its page were read before it. */
  readonly rowsBefore: number
  /** The reject in place of the tombstone, if the database refuses to delete its row. */
  readonly reject: (reason: string) => Reject
}

/** The tombstones of a page, before the places of their rows are known. */
export interface PageTombstones {
  /** The page with what became of those that name no row. */
  readonly page: Page
  readonly at: (rowsBefore: Uint32Array) => EncodedTombstone[]
}

/** Encodes the keys of records that the API announced as deleted. Compiled once for each list of columns. */
export class TombstoneEncoder {
  readonly #table: Table
  readonly #columns: readonly LoadedColumn[]
  readonly #version: LoadedColumn | undefined
  readonly #encodeRow: RowEncoder
  readonly #facts: RowFacts = { key: '', version: '', absent: '', more: '' }

  constructor(table: Table, fields: Fields, version: LoadedColumn | undefined) {
    const keys = fields.columns.filter(({ key }) => key)
    this.#table = table
    this.#version = version
    this.#columns = version && !version.key ? [...keys, version] : keys
    this.#encodeRow = compileRowEncoder({
      columns: this.#columns,
      version: version?.field,
      undetermined: [],
      seen: new Uint8Array(this.#columns.length),
      careful: true,
    })
  }

  encode(page: Page): PageTombstones {
    const { tombstones = [], parents, counts } = page
    const rejects: Reject[] = []
    const encoded: { before: number; of: (rowsBefore: number) => EncodedTombstone }[] = []
    for (const { record, origin, before } of tombstones) {
      const reject = (reason: string): Reject => ({ stage: 'deleted', reason, record: origin, ...defined({ parents }) })
      try {
        if (!isRecord(record)) throw new FieldMismatch('it', 'it is no object, so it names no row')
        const line = this.#encodeRow(record, this.#facts)
        const { key, version } = this.#facts
        const facts = { key, version: this.#version ? version : String.raw`\N`, line, reject }
        const of = (rowsBefore: number): EncodedTombstone => ({
          ...facts,
          columns: this.#columns,
          versionColumn: this.#version,
          rowsBefore,
        })
        encoded.push({ before, of })
      } catch (error) {
        if (!(error instanceof FieldMismatch)) throw error
        rejects.push(
          reject(
            `the record is announced as deleted, but nothing says which row of ${this.#table.name} it is: ` +
              error.message,
          ),
        )
      }
    }
    const { length } = rejects
    return {
      page:
        length === 0
          ? page
          : {
              ...page,
              counts: { ...counts, deleted: counts.deleted - length, rejected: counts.rejected + length },
              rejects: [...page.rejects, ...rejects],
            },
      at: (rowsBefore) => encoded.map(({ before, of }) => of(rowsBefore[before] ?? 0)),
    }
  }
}
