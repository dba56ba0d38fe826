import { createdTables } from '../ledger/created-tables.ts'
import { buildIndexes } from '../load/table-indexes.ts'
import type { StreamContext } from './stream-context.ts'

/** Builds the indexes that the stream's table declares and lacks. Warns of those that cannot be built. */
export async function indexTable(stream: StreamContext): Promise<void> {
  const { database, table, writeSignal: signal } = stream
  if (!table.indexes) return
  const { built, problems } = await buildIndexes(database, table, { created: createdTables, signal })
  for (const problem of problems) stream.warn(`${table.name}: ${problem}`)
  if (built.length > 0)
    stream.emit({
      type: 'table.altered',
      stream: stream.stream,
      table: table.name,
      change: `indexed by ${built.join(', ')}`,
    })
}
