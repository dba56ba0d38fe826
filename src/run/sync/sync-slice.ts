import type { Database } from '../../database/database.ts'
import { isTableChanged, isTransient } from '../../database/errors.ts'
import { readRecipe, type ReadOptions } from '../../read/read-recipe.ts'
import { batches } from '../../flow/batches.ts'
import { LinkedSignal } from '../../flow/signals/linked-signal.ts'
import { onAbort } from '../../flow/signals/on-abort.ts'
import { readAhead } from '../../flow/read-ahead.ts'
import { MAX_NEWER_RECORDS } from '../../ledger/limits.ts'
import { hasStored } from '../../ledger/read/has-stored.ts'
import { readStartedAt, restartedSlice, type HeldSlice, type Restart } from '../../ledger/slices/held-slice.ts'
import { resolveCommit } from '../../ledger/slices/resolve-commit.ts'
import { checkHeld, restartSql } from '../../ledger/slices/transitions.ts'
import { encodePages, SchemaChangeRequest } from '../../load/encode/encode-pages.ts'
import type { EncodedPage } from '../../load/encode/encoded-page.ts'
import { openTableWriter, type TableWriter } from '../../load/table-writer.ts'
import { PositionLostError, SchemaError } from '../../model/errors.ts'
import type { HighWaterMark, Page, ReadCounts } from '../../model/page.ts'
import type { Recipe, Table } from '../../model/recipe.ts'
import type { Scope } from '../../model/scope.ts'
import { sessionMark, type SliceRead, type BoundaryQuota } from '../../model/slice.ts'
import type { BatchLimits } from '../options.ts'
import { type Committed, ReadAgainError, SliceWriter } from './slice-writer.ts'
import { defineErrorName } from '../../value/error.ts'

export interface SyncSliceOptions extends ReadOptions {
  readonly database: Database
  readonly recipe: Recipe
  readonly table: Table
  /** `pipeline.stream`, for messages. */
  readonly streamName: string
  /** Where pages come from, where that is not the recipe's own source. */
  readonly read?: (reading: SliceRead, scope: Scope) => AsyncGenerator<Page, void, undefined>
  /** Statements that are committed with the end of the slice. @default none */
  readonly also?: () => string
  readonly limits: Required<BatchLimits>
  /**
   * Called when the slice is read from its last committed position on; what it answers is called with each page that is
   * ready to be written.
   */
  readonly metered?: ((slice: string) => (counts: ReadCounts) => void) | undefined
  readonly scope: Scope
  /** Outlives the scope's signal by some seconds, so that what is whole can be committed. */
  readonly writing: AbortSignal
  readonly committed: (batch: Committed, slice: HeldSlice) => void
  /** The slice has begun anew, or has moved on: what the caller holds of it is no longer true. */
  readonly changed: (slice: HeldSlice) => void
}

/** We changed the table ourselves, which is no reading in vain: its columns are few, and types only widen. */
class TableGrownError extends ReadAgainError {
  static {
    defineErrorName(this)
  }
}
/** Readings that are taken up again without a commit in between: beyond this it is not the table that changes. */
const MAX_RESTARTS_WITHOUT_PROGRESS = 3

/** How long a source may take to stop. */
const GRACE_PERIOD_MS = 1_000

/** Move a slice from the API into its table, from its position to its end. */
export async function syncSlice(
  claimed: HeldSlice,
  again: Restart | undefined,
  options: SyncSliceOptions,
): Promise<void> {
  let slice = again ? await begin(claimed, again, options) : claimed
  let inVain = 0
  for (;;) {
    const before = slice.seq
    const writer = { slice }
    try {
      await syncSliceOnce(slice, options, (moved) => {
        writer.slice = moved
      })
      return
    } catch (error) {
      slice = writer.slice
      inVain = slice.seq > before || error instanceof TableGrownError ? 0 : inVain + 1
      if (inVain >= MAX_RESTARTS_WITHOUT_PROGRESS)
        throw error instanceof ReadAgainError ? changedTooOften(error, options) : error
      if (error instanceof PositionLostError) slice = await begin(slice, undefined, options)
      else if (!(error instanceof ReadAgainError)) throw error
      options.scope.emit({
        type: 'warning',
        ...(options.scope.stream && { stream: options.scope.stream }),
        message: error.message,
      })
    }
  }
}

async function syncSliceOnce(
  slice: HeldSlice,
  options: SyncSliceOptions,
  moved: (slice: HeldSlice) => void,
): Promise<void> {
  const { database, recipe, table, streamName, limits, scope, writing, committed, changed } = options
  using stop = new LinkedSignal(scope.signal)
  using failure = new LinkedSignal(writing)
  const target = await openTableWriter(database, table, {
    slice,
    emit: scope.emit,
    guard: (transaction) => checkHeld(transaction, slice),
    signal: writing,
  })
  if (!target.exists) await refuseGone(database, slice, options)
  const { position, since, until, boundary = {}, startedAt, highWaterMark } = slice
  const isKeyless = table.key.length === 0
  // Only what the next run meets again has to be remembered; a window's end is not in it.
  const meetsAgain = isKeyless && table.write === 'append' && slice.kind === 'sync'
  const reading: SliceRead = {
    position,
    since,
    until,
    restart: isKeyless ? 'slice' : 'page',
    startedAt,
    ...(meetsAgain && { boundary, boundaryQuota: roomBeside(boundary, highWaterMark) }),
  }
  await using writer = new SliceWriter({
    database,
    slice,
    target,
    streamName,
    maxRejects: table.maxRejects,
    also: options.also,
    signal: writing,
    committed: (batch) => {
      moved(writer.slice)
      changed(writer.slice)
      committed(batch, writer.slice)
    },
  })
  const lent = { ...scope, signal: stop.signal }
  const metered = options.metered?.(slice.id)
  const pages = options.read?.(reading, lent) ?? readRecipe(recipe, reading, lent, options)
  // Only reading is stopped by the signal: what has been read is whole, and is committed before the reason is thrown.
  const gathered = batches(encodePages(pages, target, { signal: failure.signal }), {
    rows: limits.rows,
    bytes: limits.bytes,
    everyMs: limits.every,
    measure: measuring(metered),
    isAlone: isChange,
    signal: failure.signal,
  })
  // A source or a stage that does not heed its signal is left to itself: what came before it is committed all the same.
  let patience: NodeJS.Timeout | undefined
  using _heard = onAbort(scope.signal, (reason) => {
    patience = setTimeout(() => failure.abort(reason), GRACE_PERIOD_MS)
  })
  using _cleared = { [Symbol.dispose]: () => clearTimeout(patience) }
  for await (const batch of readAhead(gathered, { items: 2 })) {
    try {
      const [first] = batch
      await (first instanceof SchemaChangeRequest
        ? change(first, target, writer, writing)
        : write(writer, batch as readonly EncodedPage[]))
    } catch (error) {
      // A failed write stops reading; leaving the loop would otherwise wait for the page under way.
      stop.abort(error)
      failure.abort(error)
      if (error instanceof ReadAgainError && isTableChanged(error)) await refuseLost(target, streamName)
      throw error
    }
  }
  await writer.end()
}

/** A table that was filled and is gone would get only what is new, and nobody would see that the rest is missing. */
async function refuseGone(
  database: Database,
  { kind, pipeline, stream, since, position }: HeldSlice,
  { table, streamName, writing }: SyncSliceOptions,
): Promise<void> {
  // A replace reads everything anyway, a window just its own range.
  if (kind !== 'sync' || table.write === 'replace' || (since === undefined && position === null)) return
  if (!(await hasStored(database, { pipeline, stream }, { signal: writing }))) return
  throw new SchemaError(
    `${streamName}: ${table.name}: the table is not there, and rows of this stream were stored before; going on would store only ${position === null ? `what is new since ${since}` : 'what is left of an interrupted reading'}. Run with --full to load all of it again, or name the table that holds the rows`,
  )
}

/**
 * Another type, a new column: reading again is enough. What was dropped is gone from the rows before, too, which no
 * column made anew would show.
 */
async function refuseLost(target: TableWriter, streamName: string): Promise<void> {
  const lost = await target.lostColumns()
  if (lost === 'table')
    throw new SchemaError(
      `${streamName}: ${target.table.name}: the table was dropped while it was being loaded; run with --full to load all of it again`,
    )
  if (lost.length === 0) return
  const [columns, were] =
    lost.length === 1 ? [`the column ${lost[0]}`, 'was'] : [`the columns ${lost.join(', ')}`, 'were']
  throw new SchemaError(
    `${streamName}: ${target.table.name}: ${columns} ${were} dropped while it was being loaded; leave ${lost.length === 1 ? 'it' : 'them'} out with columns: { ${lost.map((name) => `${name}: false`).join(', ')} }, or run with --full to load all of it again`,
  )
}

async function write(writer: SliceWriter, pages: readonly EncodedPage[]): Promise<void> {
  try {
    await writer.write(pages)
  } finally {
    for (const page of pages) page[Symbol.dispose]()
  }
}

/** All pages before it are committed: now the table may change, and the page that asked for it is encoded again. */
async function change(
  asked: SchemaChangeRequest,
  target: TableWriter,
  writer: SliceWriter,
  signal: AbortSignal,
): Promise<void> {
  const wasHolding = writer.holding
  if (wasHolding) await writer.abandon() // Its transaction has the table locked.
  await target.change(asked.needed, { signal })
  if (wasHolding)
    throw new TableGrownError('the table changed while pages without a position were waiting, so they are read again')
  asked.settle()
}

/** Begin a slice at its start: what it has written goes, in the same transaction. */
async function begin(
  slice: HeldSlice,
  again: Restart | undefined,
  { database, table, scope, writing, changed }: SyncSliceOptions,
): Promise<HeldSlice> {
  const target = await openTableWriter(database, table, {
    slice,
    emit: scope.emit,
    guard: (transaction) => checkHeld(transaction, slice),
    signal: writing,
  })
  const { definition, since, until, cursor } = again ?? slice
  const range = { definition, since, until, cursor }
  const sql = restartSql(slice, slice.seq, range)
  const begun = restartedSlice(slice, range)
  for (let attempt = 1; ; attempt += 1) {
    try {
      await using transaction = await database.transaction({ sessionTag: sessionMark(slice), signal: writing })
      await target.clear(transaction)
      await transaction.commit(sql)
      break
    } catch (error) {
      if (attempt >= 3 || !isTransient(error)) throw error
      if ((await resolveCommit(database, slice, slice.seq, { signal: writing })) === 'committed') break
    }
  }
  const anew = { ...begun, begunAt: await readStartedAt(database, begun, writing) }
  changed(anew)
  return anew
}

const roomBeside = (boundary: object, highWaterMark: HighWaterMark | undefined): BoundaryQuota => ({
  remaining: Math.max(0, MAX_NEWER_RECORDS - Object.keys(boundary).length - (highWaterMark?.hashes?.length ?? 0)),
  reported: false,
})

/** What a batch is measured by; each page is measured once. */
const measuring =
  (metered: ((counts: ReadCounts) => void) | undefined) =>
  (item: EncodedPage | SchemaChangeRequest): { rows: number; bytes: number } => {
    if (item instanceof SchemaChangeRequest) return { rows: 0, bytes: 0 }
    metered?.(item.counts)
    return item
  }
const isChange = (item: EncodedPage | SchemaChangeRequest): boolean => item instanceof SchemaChangeRequest

const changedTooOften = (error: ReadAgainError, { streamName }: SyncSliceOptions): SchemaError =>
  new SchemaError(
    `${streamName}: ${error.message}, ${MAX_RESTARTS_WITHOUT_PROGRESS} times without anything committed in between; look at what alters the table`,
    { cause: error },
  )
