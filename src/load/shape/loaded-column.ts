import type { TimeReader } from '../../value/time-form.ts'
import type { Zone } from '../../value/zone.ts'
import type { ColumnType } from '../values/column-type.ts'

/** A column that receives the values of a field. */
export interface LoadedColumn {
  readonly field: string
  readonly name: string
  readonly type: ColumnType
  /** True for a part of the key: a record with null is rejected. */
  readonly key: boolean
  /** The definition declares its type, so it is not widened. */
  readonly declared: boolean
  /** Accept values that the column rounds or cuts. */
  readonly round: boolean
  /** It is set when a row is inserted, and never again. */
  readonly isInsertOnly?: true
  /** Alone it does not make a row differ from the stored one. */
  readonly isIgnored?: true
  /** The text `''` is null. */
  readonly emptyIsNull?: boolean
  /** The text that it has in every row, whatever the record holds: the account of the run. */
  readonly constant?: string
  /** The zone of times without an offset. */
  readonly zone?: Zone
  /** Reads times that are written in another form than ISO 8601. */
  readonly time?: TimeReader
}
