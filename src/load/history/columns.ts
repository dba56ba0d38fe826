import { quoteIdentifier, quoteLiteral, quoteTable } from '../../database/quote.ts'

/** The columns of a history that are not loaded. Each row of the table is one version of a row of the source. */
export const historyColumns = {
  /** When the version began. It is part of the primary key. */
  from: '_valid_from',
  /** When the version ended; null for the current one. */
  to: '_valid_to',
  /** True for the current version. The database computes it. */
  isCurrent: '_is_current',
} as const

export const FROM = quoteIdentifier(historyColumns.from)
export const TO = quoteIdentifier(historyColumns.to)
export const IS_CURRENT = quoteIdentifier(historyColumns.isCurrent)

export const isHistoryColumn = (column: string): boolean =>
  Object.values(historyColumns).some((name) => name === column)

/** Returns the definition of the column that the database computes. */
export const isCurrentSql = `${IS_CURRENT} boolean generated always as (${TO} is null) stored`

/** No version is empty or ends before it begins, whoever writes it. */
export const checkSql = `check (${FROM} < ${TO})`

/** Returns the statement for the index of the current rows. It also refuses a second current version of a key. */
export const currentIndexSql = (table: string, keys: readonly string[]): string =>
  `create unique index on ${table} (${keys.join(', ')}) where ${TO} is null`

/** The comment by which Sluice knows a history: records of another table may have fields of these names. */
export const HISTORY_COMMENT = 'Sluice history: when this version of the row began'

export const historyCommentSql = (table: string): string =>
  `comment on column ${quoteTable(table)}.${FROM} is ${quoteLiteral(HISTORY_COMMENT)}`
