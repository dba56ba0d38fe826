import type { Database } from '../../src/database/database.ts'
import { isRowError, sqlState } from '../../src/database/errors.ts'
import { NeedsSchemaChange } from '../../src/load/shape/schema-change.ts'
import type { EncodedPage } from '../../src/load/encode/encoded-page.ts'
import type { OpenTableOptions } from '../../src/load/open-table.ts'
import { openTableWriter, type TableWriter } from '../../src/load/table-writer.ts'
import type { WrittenBatch } from '../../src/load/write-batch.ts'
import type { RunEvent } from '../../src/model/event.ts'
import type { Page } from '../../src/model/page.ts'
import type { Table } from '../../src/model/recipe.ts'
import { addChildren } from '../../src/model/counts.ts'
import { defined } from '../../src/value/defined.ts'
import type { Advance } from '../../src/model/batch.ts'

/** A table's definition with everything at its default. */
export const table = (definition: Partial<Table> = {}): Table => ({
  name: 'shop.orders',
  key: ['id'],
  write: 'merge',
  onSchemaChange: 'evolve',
  columns: {},
  loadedAt: false,
  allowEmpty: false,
  maxRejects: 100,
  resumeWithin: '24h',
  ...definition,
})

/** A page as a reader would hand it on. */
export const page = (records: readonly unknown[], more: Partial<Page> = {}): Page => ({
  records,
  counts: { fetched: records.length, expanded: 0, filtered: 0, duplicate: 0, deleted: 0, rejected: 0, parents: 0 },
  rejects: [],
  ...more,
})

export interface Loaded extends WrittenBatch {
  readonly writer: TableWriter
  readonly events: readonly RunEvent[]
  readonly swap?: Advance['swap']
}

export interface LoadOptions extends Partial<Omit<OpenTableOptions, 'slice'>> {
  readonly slice?: string
  readonly stream?: string
  /** The slice ends with this batch. */
  readonly end?: boolean
  /** Records of each page. @default all in one page */
  readonly pageSize?: number
}

/** Loads records as one batch, as a run does: changes the table when needed, and bisects after an error of a row. */
export async function load(
  database: Database,
  definition: Table,
  records: readonly unknown[],
  { slice = '1', stream = 'orders', end = false, pageSize = Infinity, ...options }: LoadOptions = {},
): Promise<Loaded> {
  const events: RunEvent[] = []
  const writer = await openTableWriter(database, definition, {
    slice: { id: slice, pipeline: 'shop', stream },
    emit: (event) => events.push(event),
    ...options,
  })
  const pages: Page[] = []
  for (let from = 0; from === 0 || from < records.length; from += pageSize)
    pages.push(page(records.slice(from, from + pageSize)))
  const written: WrittenBatch[] = []
  let encoded: EncodedPage[] = []
  for (const one of pages) {
    let result = writer.encode(one)
    while (result instanceof NeedsSchemaChange) {
      if (encoded.length > 0) written.push(await commit(database, writer, encoded))
      encoded = []
      await writer.change(result)
      result = writer.encode(one)
    }
    encoded.push(result)
  }
  written.push(await commit(database, writer, encoded))
  const swap = end ? await finish(database, writer) : undefined
  return { writer, events, ...sumOf(written), ...(swap && { swap }) }
}

/** One batch in one transaction. */
export async function commit(
  database: Database,
  writer: TableWriter,
  pages: readonly EncodedPage[],
): Promise<WrittenBatch> {
  const attempt = async (bisecting: boolean): Promise<WrittenBatch> => {
    await using transaction = await database.transaction()
    const written = bisecting ? await writer.writeBisecting(transaction, pages) : await writer.write(transaction, pages)
    await transaction.commit()
    return written
  }
  try {
    return await attempt(false)
  } catch (error) {
    if (!isRowError(error) && sqlState(error) !== '21000') throw error
    return await attempt(true)
  } finally {
    for (const one of pages) one[Symbol.dispose]()
  }
}

export async function finish(database: Database, writer: TableWriter): Promise<Advance['swap']> {
  await using transaction = await database.transaction()
  const swap = await writer.finish(transaction)
  await transaction.commit()
  return swap
}

function sumOf(all: readonly WrittenBatch[]): WrittenBatch {
  return all.reduce((sum, { counts, rejects, children }) => ({
    counts: Object.fromEntries(
      Object.entries(sum.counts).map(([name, count]) => [name, count + counts[name as keyof typeof counts]]),
    ) as unknown as WrittenBatch['counts'],
    rejects: [...sum.rejects, ...rejects],
    ...defined({ children: addChildren(sum.children, children) }),
  }))
}

/** Checks that the counts balance. */
export const balances = ({
  fetched,
  expanded,
  inserted,
  updated,
  unchanged,
  filtered,
  duplicate,
  deleted,
  rejected,
}: WrittenBatch['counts']): boolean =>
  fetched + expanded === inserted + updated + unchanged + filtered + duplicate + deleted + rejected

/** Columns and types of a table, in their order. */
export async function columnsOf(database: Database, name = 'shop.orders'): Promise<Record<string, string>> {
  const rows = await database.query<{ name: string; type: string }>(
    `select attname as name, format_type(atttypid, atttypmod) as type from pg_attribute
     where attrelid = to_regclass($1) and attnum > 0 and not attisdropped order by attnum`,
    [name],
  )
  return Object.fromEntries(rows.map(({ name, type }) => [name, type]))
}
