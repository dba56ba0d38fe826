// The temporary tables of a comparison, and the statements that keep of their rows what a run would leave.
import { quoteIdentifier } from '../../database/quote.ts'
import { sameKeySql } from '../deleted/deleted-rows.ts'
import { versionSql } from '../encode/version-order.ts'
import type { LoadedColumn } from '../shape/loaded-column.ts'
import { notOlderSql } from '../upsert-sql.ts'

/** The rows of the reading. */
export const READ = 'pg_temp.sluice_read'
/** Those of them that the table does not have, or has with other values. */
export const DIFFERENT = 'pg_temp.sluice_different'
/** Keys of records that the source announced as deleted. */
export const GONE = 'pg_temp.sluice_gone'
/** Keys of rows of the table that the reading does not have. */
export const EXTRA = 'pg_temp.sluice_extra'

// No field gives a column such a name.
/** The number of a row in the order of reading. */
export const ROW = '"?row"'
/** The number of the columns that the row was encoded for. */
export const SHAPE = '"?shape"'
/** The number of the rows that a row was stored with, if its record has nested lists. */
export const BATCH = '"?batch"'
/** True if the next run reads the row by itself. */
export const LATER = '"?later"'

/** The columns of announced deletions. */
export interface GoneColumns {
  readonly keys: readonly LoadedColumn[]
  readonly version: LoadedColumn | undefined
}

/** Returns the statement that keeps the newest row of each key: of equal versions the one that was read last. */
export function newestSql({
  keys,
  version,
  first,
}: {
  readonly keys: readonly LoadedColumn[]
  readonly version: LoadedColumn | undefined
  /** Keep the row that was read first, whatever its version is. */
  readonly first: boolean
}): string {
  const names = keys.map(({ name }) => quoteIdentifier(name)).join(', ')
  const newest = version ? `${versionSql(quoteIdentifier(version.name), version.type)} desc nulls last, ` : ''
  return `delete from ${READ} as r using (
  select ctid, row_number() over (partition by ${names} order by ${first ? ROW : `${newest}${ROW} desc`}) as nth
  from ${READ}
) as n where r.ctid = n.ctid and n.nth > 1`
}

/** Returns the statements that take rows out of the reading because their records were announced as deleted later. */
export function buriedSql(
  { keys, version }: GoneColumns,
  { from, list, later }: { readonly from: string; readonly list: string; readonly later: boolean },
): string[] {
  const same = (one: string, other: string): string => sameKeySql(one, other, keys)
  const isOver = version ? ` and (${missing('b', version)} or ${notOlderSql(version, 'r', 'b')})` : ''
  return [
    `delete from ${READ} as r using ${from} as b where ${same('r', 'b')}${isOver}`,
    `delete from ${GONE} as g using ${from} as b where ${same('g', 'b')}`,
    `insert into ${GONE} (${list}, ${LATER}) select ${list}, ${later} from ${from}`,
  ]
}

const missing = (alias: string, { name }: LoadedColumn): string => `${alias}.${quoteIdentifier(name)} is null`
