import { createdTables } from '../ledger/created-tables.ts'
import { buildIndexes } from '../load/table-indexes.ts'
import { messageOf } from '../value/error.ts'
import type { StreamContext } from './stream-context.ts'

/** Builds the indexes that the stream's table declares and lacks. Warns of those that cannot be built. */
export async function indexTable(stream: StreamContext): Promise<void> {
  const { database, table, writeSignal: signal } = stream
  if (!table.indexes) return
  const { built, problems } = await buildIndexes(database, table, { created: createdTables, signal }).catch(
    (error: unknown) => {
      if (signal.aborted) throw error
      // The rows are stored, so this is no reason to fail.
      return { built: [], problems: [`its indexes could not be looked at: ${messageOf(error)}`] }
    },
  )
  for (const problem of problems) stream.warn(`${table.name}: ${problem}`)
  if (built.length > 0)
    stream.emit({
      type: 'table.altered',
      stream: stream.stream,
      table: table.name,
      change: `indexed by ${built.join(', ')}`,
    })
}
