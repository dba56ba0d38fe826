// What the records have, where the table does not fit the key.
import { SchemaError } from '../../model/errors.ts'
import { missingKeyText } from '../../load/encode/missing-key.ts'
import { firstRows } from '../check/first-rows.ts'
import { readFirstPage } from '../check/first-page.ts'
import type { SliceContext } from './slice-context.ts'

/**
 * Returns the error of a table that lacks its key. If the first page of the API does not have the key either, the error
 * says so, because then the key is misspelled. Sends one request; any other error is returned as it is.
 */
export async function withKeyFields(thrown: unknown, context: SliceContext): Promise<unknown> {
  if (!(thrown instanceof SchemaError) || thrown.explanation !== 'TABLE_KEY') return thrown
  const text = missingKeyText(await rowsOfFirstPage(context), context.stream.table.key)
  if (text === undefined) return thrown
  return new SchemaError(`${thrown.message}. The records do not have it either: ${text}`, {
    cause: thrown,
    explanation: 'TABLE_KEY',
  })
}

/** Returns the rows of the first page; none if they are not known. */
async function rowsOfFirstPage({ stream, scope }: SliceContext): Promise<readonly unknown[]> {
  const { recipe, table, streamName } = stream
  const { source } = recipe
  // A job is started for a reading only.
  if ('read' in source || source.job) return []
  try {
    // The table's error is the one that counts, and must not wait for retries.
    const options = { source: { ...source, api: { ...source.api, attempts: 1 } }, recipe, table, endpoints: new Map() }
    const first = await readFirstPage(options, { ...scope, stream: streamName, emit: () => {} })
    return (await firstRows(recipe, first.records, scope))?.records ?? []
  } catch {
    return []
  }
}
