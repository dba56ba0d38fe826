import { compileRowEncoder, type RowFacts } from '../encode/row-encoder.ts'
import type { Fields } from '../shape/fields.ts'
import type { LoadedColumn } from '../shape/loaded-column.ts'
import { FieldMismatch } from '../values/type-mismatch.ts'
import { isRecord } from '../values/value-kind.ts'

/** The keys of records that exist and store no row, because they were rejected. A mirror keeps their rows. */
export interface PresentKeys {
  /** The columns of the key. */
  readonly columns: readonly LoadedColumn[]
  /** A line of COPY text for each. */
  readonly lines: readonly string[]
  /** False if a record does not have a key, so nothing says which row is its own. */
  readonly isWhole: boolean
}

/** Encodes the keys of some records. They are few, so nothing is compiled ahead. */
export function presentKeys(records: readonly unknown[], fields: Pick<Fields, 'columns'>): PresentKeys {
  const columns = fields.columns.filter(({ key }) => key)
  const facts: RowFacts = { key: '', version: '', absent: '', more: '' }
  const encodeRow = compileRowEncoder({
    columns,
    version: undefined,
    undetermined: [],
    seen: new Uint8Array(columns.length),
    careful: true,
  })
  const lines: string[] = []
  for (const record of records) {
    try {
      if (isRecord(record)) lines.push(encodeRow(record, facts))
    } catch (error) {
      if (!(error instanceof FieldMismatch)) throw error
    }
  }
  return { columns, lines, isWhole: lines.length === records.length }
}
