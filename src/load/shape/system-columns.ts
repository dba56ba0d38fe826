/** Columns that Sluice adds to the tables it writes. */
export const systemColumns = {
  /** The slice that stored the row, in an append without a key. */
  slice: '_slice',
  /** When the row last changed, with `loadedAt: true`. */
  loadedAt: '_loaded_at',
  /** The order of the rows in the shadow table of a replace. */
  row: '_row',
} as const
