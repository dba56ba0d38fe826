import { quoteLiteral } from '../database/quote.ts'
import type { Slice } from '../model/slice.ts'

/** Returns the statement that notes that the stream of a slice stores rows in a table, for the batch that does. */
export const writerSql = ({ id }: Pick<Slice, 'id'>, table: string): string =>
  `select sluice.note_writer(${BigInt(id)}, ${quoteLiteral(table)})`
