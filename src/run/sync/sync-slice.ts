import { isTableChanged } from '../../database/errors.ts'
import { batches } from '../../flow/batches.ts'
import { readAhead } from '../../flow/read-ahead.ts'
import { LinkedSignal } from '../../flow/signals/linked-signal.ts'
import { onAbort } from '../../flow/signals/on-abort.ts'
import { MAX_NEWER_RECORDS } from '../../ledger/limits.ts'
import { readParentCursors } from '../../ledger/parent-cursors.ts'
import { createdTables } from '../../ledger/created-tables.ts'
import type { HeldSlice, Restart } from '../../ledger/slices/held-slice.ts'
import { checkHeld } from '../../ledger/slices/transitions.ts'
import { encodePages, SchemaChangeRequest } from '../../load/encode/encode-pages.ts'
import type { EncodedPage } from '../../load/encode/encoded-page.ts'
import { UNCONFIRMED } from '../../load/mirror/delete-missing.ts'
import { NeedsSchemaChange } from '../../load/shape/schema-change.ts'
import { openTableWriter, type TableWriter } from '../../load/table-writer.ts'
import {
  ListMovedError,
  PositionLostError,
  ResultsLostError,
  SchemaError,
  TokenExpiredError,
} from '../../model/errors.ts'
import type { Page, ReadCounts } from '../../model/page.ts'
import { isMerged, type Table } from '../../model/recipe.ts'
import type { BoundaryQuota, SliceRead } from '../../model/slice.ts'
import { readRecipe } from '../../read/read-recipe.ts'
import { defined } from '../../value/defined.ts'
import { defineErrorName } from '../../value/error.ts'
import { endGivenUpJobs, GivenUpChildren } from './end-given-up-jobs.ts'
import { openFieldWatch } from './field-watch.ts'
import { lostFieldsText } from '../lost-fields-text.ts'
import { withKeyFields } from './key-fields.ts'
import { rejectDroppedColumns, rejectMissingTable } from './lost-table.ts'
import { isRefused, openMirror, sinceOf } from './mirror-reading.ts'
import { laterPage } from './mirror-window.ts'
import { restartSlice } from './restart-slice.ts'
import { settleRejects, type KeyUse } from './settle-rejects.ts'
import type { SliceContext, SliceSource } from './slice-context.ts'
import { ReadAgainError, SliceWriter } from './slice-writer.ts'
import { openWaysOn } from './ways-on.ts'

/** The table was altered by this run itself. Its columns are few and types only widen, so this ends by itself. */
class TableGrownError extends ReadAgainError {
  static {
    defineErrorName(this)
  }
}

/** Times that a slice is read again without a commit in between, before its error is thrown. */
const MAX_RESTARTS_WITHOUT_PROGRESS = 3

/** Jobs that one run starts again because their results were lost. */
const MAX_LOST_RESULTS = 2

/** Time for a source or a stage to obey its signal. Afterwards its pages are no longer awaited. */
const GRACE_PERIOD_MS = 1_000

type Passes = Required<Pick<SliceRead, 'pass' | 'passDigests'>>

/** Reads a slice from its position to its end, and writes it to its table. `restart`: from its start. */
export async function syncSlice(
  context: SliceContext,
  restart: Restart | undefined,
  source: SliceSource,
): Promise<void> {
  const { position, since, until, definition } = context.slice
  if (restart || isRefused(position)) await restartSlice(context, restart)
  if (!source.read) await endGivenUpJobs(context, restart && { position, definition, ...defined({ since, until }) })
  let withoutProgress = 0
  let lostResults = 0
  let pass = 1
  const passDigests = new Set<string>()
  for (;;) {
    const { seq } = context.slice
    try {
      await syncSliceOnce(context, source, { pass, passDigests })
      return
    } catch (error) {
      const hasProgress = context.slice.seq > seq || error instanceof TableGrownError
      withoutProgress = hasProgress ? 0 : withoutProgress + 1
      if (withoutProgress >= MAX_RESTARTS_WITHOUT_PROGRESS)
        throw error instanceof ReadAgainError ? changedTooOften(error, context) : error
      // Each restart starts another job. Results that are always lost before their end would do so for ever.
      if (error instanceof ResultsLostError && ++lostResults > MAX_LOST_RESULTS) throw error
      if (error instanceof ListMovedError) pass++
      if (error instanceof ListMovedError && error.passDigest !== undefined) passDigests.add(error.passDigest)
      if (error instanceof PositionLostError) {
        const lost = { ...context.slice }
        await restartSlice(context, error instanceof TokenExpiredError ? wholeOf(lost) : undefined)
        if (!source.read) await endGivenUpJobs(context, lost)
      } else if (!(error instanceof ReadAgainError)) throw error
      context.stream.warn(error.message)
    }
  }
}

/** A reading of everything in place of one since a token. It ends with the token of its own last page. */
const wholeOf = ({ definition, cursor }: HeldSlice): Restart => ({
  reason: 'full',
  definition,
  cursor,
  since: undefined,
  until: undefined,
})

async function syncSliceOnce(context: SliceContext, source: SliceSource, passes: Passes): Promise<void> {
  const { stream, scope, slice } = context
  const { database, recipe, table, run, writeSignal } = stream
  using stop = new LinkedSignal(scope.signal)
  using failure = new LinkedSignal(writeSignal)
  const target = await openTableWriter(database, table, {
    slice,
    emit: scope.emit,
    guard: (transaction) => checkHeld(transaction, slice),
    created: createdTables,
    run: run.id,
    signal: writeSignal,
  }).catch(async (error: unknown) => {
    throw source.read ? error : await withKeyFields(error, context)
  })
  if (!target.exists) await rejectMissingTable(context)
  const mirror = source.read ? undefined : await openMirror(context, target)
  await using givenUp = new GivenUpChildren(context)
  // A replay reads what it is given.
  const waysOn = source.read ? undefined : await openWaysOn(context)
  const reading = {
    ...sliceRead(slice, table, passes),
    since: source.read ? slice.since : sinceOf(slice.since, recipe, table),
    ...defined({ endpoints: waysOn?.endpoints, onPart: mirror?.keepPart }),
    ...(slice.kind === 'sync' && { parentCursors: readParentCursors.bind(undefined, database, slice) }),
    onGivenUp: givenUp.end,
  }
  const readScope = { ...scope, signal: stop.signal }
  const pages = source.read?.(reading, readScope) ?? readRecipe(recipe, reading, readScope, { workers: run.workers })
  const followed = mirror ? mirror.follow(pages) : pages
  const keyUse: KeyUse = { isKeyChanged: false }
  const fieldWatch = await openFieldWatch(context)
  await using writer = new SliceWriter(context, target, {
    mirror,
    source: waysOn ? { ...source, endSql: waysOn.sql } : source,
    keyUse,
    fieldWatch,
  })
  const count = run.meter.sliceReader(stream.stream, slice.id)
  // The signal stops only the reading: complete pages are committed before its reason is thrown.
  const gathered = batches(encodePages(settleRejects(followed, context, keyUse), target, { signal: failure.signal }), {
    ...stream.batch,
    measure: measureInto(count),
    isAlone: isSchemaChange,
    isLast: isUrgent,
    signal: failure.signal,
  })
  using _gracePeriod = abortLater(failure, scope.signal)
  for await (const batch of readAhead(gathered, { items: 2 })) {
    try {
      await writeBatch(batch, { target, writer, count, signal: writeSignal })
    } catch (error) {
      // Stops the page that is being read: the loop would otherwise wait for it.
      stop.abort(error)
      failure.abort(error)
      if (error instanceof ReadAgainError && isTableChanged(error)) await rejectDroppedColumns(target, stream)
      throw error
    }
  }
  await writer.end()
  if (writer.refusal === UNCONFIRMED && mirror?.window) {
    using last = encoded(target, await laterPage(context, mirror, mirror.window))
    mirror.isConfirmed = true
    await writer.write([last])
  }
  if (writer.refusal instanceof Error) throw writer.refusal
  if (fieldWatch && fieldWatch.newlyLost.length > 0) stream.warn(lostFieldsText(fieldWatch.newlyLost))
}

/** Returns where and how to read a slice. */
function sliceRead(slice: HeldSlice, table: Table, passes: Passes): SliceRead {
  const { id, position, since, until, boundary = {}, startedAt, highWaterMark } = slice
  const isKeyless = table.key.length === 0
  // Only the records that the next run reads again are remembered. Those at the end of a window are not among them.
  const meetsAgain = isKeyless && table.write === 'append' && slice.kind === 'sync'
  const known = Object.keys(boundary).length + (highWaterMark?.hashes?.length ?? 0)
  const boundaryQuota: BoundaryQuota = { remaining: Math.max(0, MAX_NEWER_RECORDS - known), reported: false }
  return {
    id,
    position,
    since,
    until,
    restart: isKeyless ? 'slice' : 'page',
    isMerged: isMerged(table),
    isMirror: table.mirror !== undefined,
    startedAt,
    ...passes,
    ...(!isKeyless && { key: table.key }),
    ...(meetsAgain && { boundary, boundaryQuota }),
  }
}

/** Aborts `failure` some time after `signal`, for a source or a stage that ignores it. */
function abortLater(failure: LinkedSignal, signal: AbortSignal): Disposable {
  let timer: NodeJS.Timeout | undefined
  const listener = onAbort(signal, (reason) => {
    timer = setTimeout(() => failure.abort(reason), GRACE_PERIOD_MS)
  })
  return {
    [Symbol.dispose]() {
      listener[Symbol.dispose]()
      clearTimeout(timer)
    },
  }
}

/** Returns a page without records as it is written. It needs no change of the table. */
function encoded(target: TableWriter, page: Page): EncodedPage {
  const rows = target.encode(page)
  if (rows instanceof NeedsSchemaChange) throw new TypeError('a page without records asked for a change')
  return rows
}

type Item = EncodedPage | SchemaChangeRequest

const isSchemaChange = (item: Item): item is SchemaChangeRequest => item instanceof SchemaChangeRequest

const isPage = (item: Item): item is EncodedPage => !isSchemaChange(item)

const isUrgent = (item: Item): boolean => isPage(item) && item.onStored !== undefined

/** Returns the size of each page for its batch, and counts the page. A page is measured once. */
const measureInto =
  (count: (counts: ReadCounts) => void) =>
  (item: Item): { rows: number; bytes: number } => {
    if (isSchemaChange(item)) return { rows: 0, bytes: 0 }
    count(item.counts)
    return item
  }

interface BatchContext {
  readonly target: TableWriter
  readonly writer: SliceWriter
  /** Counts the records of a page that was read. */
  readonly count: (counts: ReadCounts) => void
  readonly signal: AbortSignal
}

/** A request for a schema change is alone in its batch. */
async function writeBatch(batch: readonly Item[], context: BatchContext): Promise<void> {
  const change = batch.find(isSchemaChange)
  if (change) {
    await changeSchema(change, context)
    return
  }
  const pages = batch.filter(isPage)
  try {
    await context.writer.write(pages)
    for (const page of pages) page.onStored?.()
  } finally {
    for (const page of pages) page[Symbol.dispose]()
  }
}

/** Alters the table after all pages before the request are committed, and stores its page with the change. */
async function changeSchema(request: SchemaChangeRequest, context: BatchContext): Promise<void> {
  const { page, needed } = request
  const { target, writer, signal } = context
  const { position } = page
  const hasOpenTransaction = writer.hasOpenTransaction
  if (writer.storesWithChange(position)) {
    context.count(page.counts)
    await target.changeFor(page, needed, (change) => writer.writeChanged(change, position), { signal })
    page.onStored?.()
    request.settle('stored')
    return
  }
  // The open transaction has the table locked.
  if (hasOpenTransaction) await writer.abandon()
  await target.change(needed, { signal })
  if (hasOpenTransaction)
    throw new TableGrownError('the table changed while pages without a position were waiting. They are read again')
  request.settle('changed')
}

const changedTooOften = (error: ReadAgainError, { stream }: SliceContext): SchemaError =>
  new SchemaError(
    `${stream.streamName}: ${error.message}, ${MAX_RESTARTS_WITHOUT_PROGRESS} times without a commit in between. ` +
      'Find the program that alters the table',
    { cause: error },
  )
