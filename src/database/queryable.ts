import { DatabaseError } from '../model/errors.ts'

/** Runs one statement: a database, a transaction, a connection or a snapshot. */
export interface Queryable {
  /** Returns the rows of a statement. */
  query: <Row extends object = Record<string, unknown>>(text: string, values?: readonly unknown[]) => Promise<Row[]>
  /** Returns the row of a statement that has exactly one. Throws `DatabaseError` for any other number. */
  one: <Row extends object = Record<string, unknown>>(text: string, values?: readonly unknown[]) => Promise<Row>
  /** Returns the row of a statement, or undefined if it has none. Throws `DatabaseError` for several rows. */
  maybeOne: <Row extends object = Record<string, unknown>>(
    text: string,
    values?: readonly unknown[],
  ) => Promise<Row | undefined>
}

/** Longer statements are cut in messages. */
const MAX_STATEMENT_LENGTH = 100

/** Returns the only row of a result. `source` locates the statement in the message. */
export function onlyRow<Row>(rows: readonly Row[], source: { readonly label: string; readonly text: string }): Row {
  const row = onlyRowIfAny(rows, source)
  if (row === undefined) throw wrongCount(0, source)
  return row
}

/** Returns the only row of a result, or undefined if it is empty. */
export function onlyRowIfAny<Row>(
  rows: readonly Row[],
  source: { readonly label: string; readonly text: string },
): Row | undefined {
  if (rows.length > 1) throw wrongCount(rows.length, source)
  return rows[0]
}

function wrongCount(count: number, { label, text }: { readonly label: string; readonly text: string }): DatabaseError {
  const line = text.trim().replace(/\s+/g, ' ')
  const statement = line.length > MAX_STATEMENT_LENGTH ? `${line.slice(0, MAX_STATEMENT_LENGTH).toWellFormed()}…` : line
  return new DatabaseError(
    `${label}: a statement returned ${count} rows instead of one: ${statement}. Report this as a fault of Sluice.`,
  )
}
