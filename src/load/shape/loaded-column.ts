import type { ColumnType } from '../values/column-type.ts'

/** A column that a field of the records is written to. */
export interface LoadedColumn {
  readonly field: string
  readonly name: string
  readonly type: ColumnType
  /** Part of the key: null is a reject. */
  readonly key: boolean
  /** A definition chose its type, so it is not widened. */
  readonly declared: boolean
  /** Admit what the column rounds or cuts. */
  readonly round: boolean
}
