// Deletions in a replay that keeps the rows that are stored.
import type { Database } from '../../database/database.ts'
import { quoteIdentifier, quoteLiteral, quoteTable } from '../../database/quote.ts'
import { isRowError } from '../../database/errors.ts'
import { columnName } from '../../load/shape/column-name.ts'
import { removesAnnounced } from '../../model/deletions.ts'
import type { Page, Reject } from '../../model/page.ts'
import type { Table } from '../../model/recipe.ts'
import { keyTexts } from '../../value/key-texts.ts'

/**
 * Rejects a deletion again whose row is stored: nothing decides which of the two is newer, so the row stays. Without
 * this the replay would count the deletion, and nothing would show that the row is still there.
 */
export async function* refuseDeletions(
  pages: AsyncIterable<Page>,
  { database, table, signal }: { readonly database: Database; readonly table: Table; readonly signal: AbortSignal },
): AsyncGenerator<Page, void, undefined> {
  for await (const page of pages) {
    const { tombstones = [], counts, parents } = page
    const rejects: Reject[] = []
    if (removesAnnounced(table))
      for (const { record, origin } of tombstones)
        if (await isStored(database, table, record, signal))
          rejects.push({ stage: 'deleted', reason: REASON, record: origin, ...(parents && { parents }) })
    const { length } = rejects
    if (length === 0) yield page
    else
      yield {
        ...page,
        counts: { ...counts, deleted: counts.deleted - length, rejected: counts.rejected + length },
        rejects: [...page.rejects, ...rejects],
      }
  }
}

const REASON =
  'its row is stored, and may be newer: the table has no version that would decide. ' +
  'sluice rejects replay --overwrite deletes it'

async function isStored(
  database: Database,
  { name, key, account }: Table,
  record: unknown,
  signal: AbortSignal,
): Promise<boolean> {
  const values = keyTexts(record, key)
  if (!values) return true
  const conditions = key.map((field, index) => `${quoteIdentifier(columnName(field))} = $${index + 1}`)
  if (account) conditions.push(`${quoteIdentifier(account.name)} = ${quoteLiteral(account.value)}`)
  try {
    const rows = await database.query(
      `select from ${quoteTable(name)} where ${conditions.join(' and ')} limit 1`,
      values,
      { signal },
    )
    return rows.length > 0
  } catch (error) {
    // The key is no value of its column, so no row has it.
    if (isRowError(error)) return false
    throw error
  }
}
