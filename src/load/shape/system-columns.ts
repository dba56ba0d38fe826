import type { Table } from '../../model/recipe.ts'

/** Columns that Sluice adds to the tables it writes. */
export const systemColumns = {
  /** The slice that stored the row, in an append without a key. */
  slice: '_slice',
  /** When the row last changed, with `loadedAt: true`. */
  loadedAt: '_loaded_at',
  /** The order of the rows in the shadow table of a replace. */
  row: '_row',
} as const

/** The columns of `lineage: true`. */
export const lineageColumns = {
  /** The run that has written the row last. */
  run: '_run',
  /** When the row was inserted. */
  firstSeen: '_first_seen',
  /** The URL that the record of the row came from. */
  sourceUrl: '_source_url',
} as const

/** A column that Sluice adds, and that no field of a record is written to. */
export interface AddedColumn {
  readonly name: string
  readonly type: string
  readonly default?: string
}

/** Returns the columns that the options of a table add to it. */
export const addedColumns = ({
  loadedAt,
  lineage = false,
  deleted,
}: Pick<Table, 'loadedAt' | 'lineage' | 'deleted'>): AddedColumn[] => [
  ...(loadedAt ? [{ name: systemColumns.loadedAt, ...MOMENT }] : []),
  ...(lineage
    ? [
        { name: lineageColumns.run, type: 'bigint' },
        { name: lineageColumns.firstSeen, ...MOMENT },
        { name: lineageColumns.sourceUrl, type: 'text' },
      ]
    : []),
  ...(deleted === 'mark' ? [{ name: DELETED_AT, type: 'timestamptz' }] : []),
]

const MOMENT = { type: 'timestamptz', default: 'statement_timestamp()' } as const

/** When the record of a row was found to be deleted, with `deleted: 'mark'`. Null while it exists. */
export const DELETED_AT = '_deleted_at'
