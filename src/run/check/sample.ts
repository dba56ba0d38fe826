import type { Flow } from '../../define/flow.ts'
import { flatRecords } from '../../load/nested/flat-records.ts'
import { NewTable } from '../../load/new-table.ts'
import type { Database } from '../../database/database.ts'
import { storedTokens } from '../../ledger/credentials.ts'
import { openScope } from '../../read/open-scope.ts'
import { movedList, readSteps } from '../../read/read-steps.ts'
import type { RunEvent } from '../../model/event.ts'
import type { ReadCounts, Reject } from '../../model/page.ts'
import { worstOf, type Completeness } from '../../model/completeness.ts'
import { addCounts, NO_READ_COUNTS } from '../../model/counts.ts'
import type { Range } from '../../model/request.ts'
import type { Scope } from '../../model/scope.ts'
import type { TokenStore } from '../../model/tokens.ts'
import { readSecrets } from '../../observe/secrets.ts'
import { defined } from '../../value/defined.ts'
import { openStore, type Store } from '../open-store.ts'
import { KeptRows } from './kept-rows.ts'
import { pageEncoder } from './page-encoder.ts'
import { storedRows, type StoredRow } from './stored-rows.ts'

export interface SampleOptions extends Range {
  /** The stream, for events. */
  readonly stream: string
  /** Stops after the page with this row. @default all */
  readonly limit?: number | undefined
  /** Stops after this number of pages. @default all */
  readonly pages?: number | undefined
  /** The number of rows and of rejects that are returned. @default limit */
  readonly keep?: number
  /** The database that keeps refresh tokens; it is opened only for them. @default as for a run */
  readonly database?: string | undefined
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** Keeps refresh tokens. @default the ledger of `database` */
  readonly tokens?: TokenStore | undefined
  readonly on?: ((event: RunEvent) => void) | undefined
  readonly signal: AbortSignal
}

export interface Sample {
  /** The rows that would be stored, with the names of the record's fields. */
  readonly rows: readonly unknown[]
  /** The same rows by the names of their columns, with the column of the account. */
  readonly stored: readonly StoredRow[]
  /** Fields that are null in all records: they have no column until one has a value. */
  readonly onlyNull: readonly string[]
  /** Records that a stage or the encoder rejected. */
  readonly rejects: readonly Reject[]
  /** Counts of all pages that were read. `rejected` includes the encoder's. */
  readonly counts: ReadCounts
  /** Rows of these pages that would be stored. */
  readonly total: number
  /** True if nothing is left to read, as far as is known: `completeness` says how sure that is. */
  readonly isWhole: boolean
  /** Of the pages that were read. Absent if none of them has one. */
  readonly completeness?: Completeness
}

/** Reads the start of a stream through its stages and the encoder of a first run. Nothing is stored. */
export async function sample(
  { recipe, table }: Flow<unknown>,
  {
    stream,
    limit = Infinity,
    pages = Infinity,
    keep = limit,
    environment = process.env,
    tokens,
    on,
    signal,
    since,
    until,
    database,
  }: SampleOptions,
): Promise<Sample> {
  const kept = new KeptRows(table, keep)
  const { rows: records } = kept
  const rejects: Reject[] = []
  const newTable = new NewTable(table, stream)
  const encode = pageEncoder(newTable)
  let counts = NO_READ_COUNTS
  let completeness: Completeness | undefined
  let total = 0
  let read = 0
  let pagesRead = 0
  await using opened = new AsyncDisposableStack()
  const scope = sampleScope({ database, environment, tokens, on, signal }, opened)
  for await (const page of readSteps(recipe, { since, until }, { ...scope, stream }, movedList(table))) {
    read += page.records.length
    pagesRead += 1
    const encoded = encode(page)
    counts = addCounts(counts, encoded.counts)
    completeness = worstOf(completeness, page.completeness)
    total += encoded.rows.length
    for (const row of encoded.rows) kept.add(row as object)
    rejects.push(...encoded.rejects.slice(0, Math.max(0, keep - rejects.length)))
    if (read >= limit || pagesRead >= pages) return ended(false)
  }
  return ended(true)

  function ended(isWhole: boolean): Sample {
    const columns = new Map(newTable.fields.columns.map((column) => [column.name, column]))
    // In the order in which a run would create them.
    const ordered = [...(newTable.shape?.columns.keys() ?? [])].flatMap((column) => columns.get(column) ?? [])
    const stored = storedRows(flatRecords(records, table, newTable.fields), ordered)
    const onlyNull = newTable.fields.undetermined
    return { rows: records, stored, onlyNull, rejects, counts, total, isWhole, ...defined({ completeness }) }
  }
}

/**
 * Reads the first records of a stream as they arrive, before its stages. Those of children have passed the stages of
 * their own stream.
 */
export async function sampleRecords(
  { recipe }: Flow<unknown>,
  { stream, limit = Infinity, since, until, ...options }: Omit<SampleOptions, 'keep'>,
): Promise<readonly unknown[]> {
  await using opened = new AsyncDisposableStack()
  const scope = sampleScope(options, opened)
  const last = recipe.stages.findLastIndex(({ type }) => type === 'flatMap')
  const records: unknown[] = []
  const plain = { ...recipe, stages: recipe.stages.slice(0, last + 1) }
  for await (const page of readSteps(plain, { since, until }, { ...scope, stream })) {
    records.push(...page.records.slice(0, limit - records.length))
    if (records.length >= limit) break
  }
  return records
}

/** Returns the scope of a reading without a ledger. It is disposed with the stack. */
function sampleScope(
  {
    database,
    environment = process.env,
    tokens,
    on,
    signal,
  }: Pick<SampleOptions, 'database' | 'environment' | 'tokens' | 'on' | 'signal'>,
  opened: AsyncDisposableStack,
): Scope {
  // Before the scope, so that it is closed after it.
  const stores = opened.use(new AsyncDisposableStack())
  let store: Promise<Store> | undefined
  const openLedger = async (): Promise<Database> => {
    store ??= openStore({ database, environment, signal }).then((one) => stores.use(one))
    return (await store).database
  }
  const secrets = readSecrets(environment)
  const kept = tokens ?? storedTokens({ database: openLedger, secrets })
  return opened.use(openScope({ signal, secrets, tokens: kept, ...defined({ emit: on }) }))
}
