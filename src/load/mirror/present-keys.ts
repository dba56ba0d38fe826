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
export const presentKeys = (records: readonly unknown[], { columns }: Pick<Fields, 'columns'>): PresentKeys =>
  encodedKeys(
    records,
    columns.filter(({ key }) => key),
  )

/**
 * Encodes the fields that name the parents of rows, from the records of parents. Undefined while the table lacks one of
 * these columns.
 */
export function parentKeys(
  parents: readonly unknown[],
  fields: Pick<Fields, 'loaded'>,
  named: Readonly<Record<string, string>>,
): PresentKeys | undefined {
  const names = Object.entries(named)
  const columns = names.map(([field]) => fields.loaded(field)).filter((column) => column !== undefined)
  if (columns.length < names.length) return undefined
  const records = parents.map((parent) =>
    isRecord(parent) ? Object.fromEntries(names.map(([field, ofParent]) => [field, parent[ofParent]])) : parent,
  )
  return encodedKeys(records, columns)
}

function encodedKeys(records: readonly unknown[], columns: readonly LoadedColumn[]): PresentKeys {
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
