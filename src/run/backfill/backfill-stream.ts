import { TaskGroup } from '../../flow/task-group.ts'
import { openBackfill, readBackfill } from '../../ledger/backfills.ts'
import { readWindows, type StoredWindow } from '../../ledger/read/read-windows.ts'
import { findActiveSync } from '../../ledger/slices/claim.ts'
import type { TimeRange } from '../../ledger/slices/cover-open.ts'
import { skipDoneElsewhere } from '../../ledger/slices/transitions.ts'
import { setExclusive, type ClaimWindowOptions, type WindowSelection } from '../../ledger/slices/windows.ts'
import { acceptsOpen } from '../../model/completeness.ts'
import { LoadError } from '../../model/errors.ts'
import type { StreamReport } from '../../model/report.ts'
import type { WindowCounts } from '../../model/window.ts'
import { isMerged } from '../../model/recipe.ts'
import { definitionHash } from '../../read/definition-hash.ts'
import { rangeOf } from '../../source/cursor/range.ts'
import { formatNumber } from '../../value/format.ts'
import { indexTable } from '../index-table.ts'
import type { StreamContext } from '../stream-context.ts'
import { FailuresInARow } from '../sync/failures-in-a-row.ts'
import { warnOfRejects } from '../sync/run-stream.ts'
import { cursorTimeMs } from '../status/cursor-age.ts'
import { noteCovered } from '../sync/cover.ts'
import { instantText, type CutRange } from './calendar-windows.ts'
import { hasVersion } from '../has-version.ts'
import { nextWindow, readByActiveSync } from './next-window.ts'
import { rejectOverlap } from './reject-overlap.ts'
import { syncWindow } from './sync-window.ts'
import { windowWarning } from './windowable.ts'

export interface BackfillStreamOptions {
  /** The range and its windows. */
  readonly range: CutRange
  /** The windows to read. */
  readonly selection: WindowSelection
  /** Windows that are read at once. */
  readonly concurrency: number
  /** Reads the windows of the stream, or lets others read them. @default this process reads them, by `here` */
  readonly handOut?: ((stream: StreamContext, options: HandOutOptions) => Promise<void>) | undefined
}

export interface HandOutOptions {
  /** Which windows are read, and by which run. */
  readonly claiming: Omit<ClaimWindowOptions, 'signal'>
  /** Reads in this process the windows that are left. */
  readonly here: () => Promise<void>
}

/**
 * Reads the windows of one stream, several at once, and returns the stream's report. Never throws: a stream that fails
 * must not stop the others.
 */
export async function backfillStream(stream: StreamContext, options: BackfillStreamOptions): Promise<StreamReport> {
  let backfill: string | undefined
  try {
    const isExclusive = await checkActiveSync(stream)
    backfill = await recordBackfill(stream, options)
    await prepareWindows(stream, backfill, isExclusive, options)
    await syncWindows(stream, backfill, options)
    await noteCovered(stream, { rangeRead: (cursors) => rangeRead(stream, cursors) })
    await throwIfWindowsFailed(stream, backfill, options)
    await warnOfRejects(stream)
    stream.warnIfOpen()
    await indexTable(stream)
    return await withWindows(stream, stream.tally.report('done'), backfill, options)
  } catch (error) {
    return withWindows(stream, stream.fail(error), backfill, options)
  }
}

/**
 * Returns true if the backfill must not run beside a sync of the stream: without a version, nothing decides which of
 * two rows is newer. Throws if such a sync is active.
 */
async function checkActiveSync(stream: StreamContext): Promise<boolean> {
  const { database, table, readSignal } = stream
  const isExclusive = !(await hasVersion(database, table))
  const active = isExclusive ? await findActiveSync(database, stream, readSignal) : undefined
  if (active) throw readByActiveSync(stream.streamName, active.run)
  return isExclusive
}

/** Records the backfill in the ledger, or finds the one with the same range and windows. Returns its id. */
async function recordBackfill(stream: StreamContext, { range }: BackfillStreamOptions): Promise<string> {
  const { database, pipeline, recipe, table, run, tally, readSignal: signal } = stream
  const { from, to, window, zone, windows } = range
  const warning = windowWarning(recipe)
  if (warning !== undefined) stream.warn(warning)
  const { id, created } = await openBackfill(database, {
    pipeline,
    stream: stream.stream,
    from,
    to,
    window,
    zone,
    bounds: [...windows.map(({ lower }) => lower), to],
    run: run.id,
    definition: definitionHash(recipe, table),
    signal,
  })
  tally.sliceStarted({ resumed: !created })
  return id
}

/** Skips windows that need not be read, checks the others and shows what this run will read. */
async function prepareWindows(
  stream: StreamContext,
  backfill: string,
  isExclusive: boolean,
  { range, selection }: BackfillStreamOptions,
): Promise<void> {
  const { database, readSignal: signal } = stream
  const { from, to, window, zone } = range
  await setExclusive(database, backfill, isExclusive, signal)
  if (selection.only === 'missing') await skipDoneElsewhere(database, backfill, signal)
  await rejectOverlap(stream, backfill, to)
  const stored = await readWindows(database, backfill, { ...selection, signal })
  stream.emit({
    type: 'backfill.planned',
    stream: stream.stream,
    backfill,
    from,
    to,
    window,
    zone,
    windows: countWindows(stored),
    toRead: stored.filter(({ isSelected }) => isSelected).length,
    states: stored.map(letterOf).join(''),
  })
}

const letterOf = ({ status, isUnproven }: StoredWindow): string => (isUnproven ? 'u' : LETTERS[status])

const LETTERS = { open: 'o', done: 'd', failed: 'f', skipped: 's' } as const

function countWindows(windows: readonly Pick<StoredWindow, 'status' | 'isUnproven'>[]): WindowCounts {
  const count = (wanted: StoredWindow['status']): number => windows.filter(({ status }) => status === wanted).length
  return {
    total: windows.length,
    done: count('done'),
    unproven: windows.filter(({ isUnproven }) => isUnproven).length,
    failed: count('failed'),
    skipped: count('skipped'),
    open: count('open'),
  }
}

/** Reads all windows that are left, here or elsewhere. */
async function syncWindows(
  stream: StreamContext,
  backfill: string,
  { selection, concurrency, handOut }: BackfillStreamOptions,
): Promise<void> {
  const { run, recipe, table } = stream
  const claiming = {
    run: run.id,
    keeper: run.keeper,
    backfill,
    ...selection,
    definition: definitionHash(recipe, table),
    resume: table.resumeWithin,
    mustBeComplete: !acceptsOpen(table),
  }
  const here = (): Promise<void> => syncHere(stream, claiming, concurrency)
  await (handOut ? handOut(stream, { claiming, here }) : here())
}

/** Reads windows in one task group: an error that concerns every window ends it. */
async function syncHere(
  stream: StreamContext,
  claiming: HandOutOptions['claiming'],
  concurrency: number,
): Promise<void> {
  const failures = new FailuresInARow(stream, 'window')
  await using group = new TaskGroup({ signal: stream.readSignal })
  for (let reader = 0; reader < concurrency; reader += 1)
    group.spawn((signal) => readWindowsInTurn(stream, { ...claiming, signal }, failures))
  await group.join()
}

async function readWindowsInTurn(
  stream: StreamContext,
  claiming: ClaimWindowOptions,
  failures: FailuresInARow,
): Promise<void> {
  for (;;) {
    const claimed = await nextWindow(stream, claiming)
    if (!claimed) return
    const error = await syncWindow(stream, claimed, claiming.signal)
    failures.note(error, claimed.lower)
  }
}

async function throwIfWindowsFailed(
  stream: StreamContext,
  backfill: string,
  { selection: { onlyWindows } }: BackfillStreamOptions,
): Promise<void> {
  const windows = await readWindows(stream.database, backfill, { signal: stream.writeSignal })
  const failed = windows.filter(
    ({ status, lower }) => status === 'failed' && onlyWindows?.includes(instantText(lower)) !== false,
  )
  const [first] = failed
  if (!first) return
  const isOne = failed.length === 1
  const bounds = `${instantText(first.lower)} to ${instantText(first.upper)}`
  throw new LoadError(
    `${isOne ? '1 window' : `${formatNumber(failed.length)} windows`} of ${formatNumber(windows.length)} failed, ` +
      `${isOne ? bounds : `the first one, ${bounds}`}, with: ${first.error ?? 'no recorded reason'}. ` +
      `Correct the cause, then start the same backfill again, which repeats ${isOne ? 'it' : 'them'}`,
  )
}

/** Returns the range of time that a sync of the stream has read, with its lookback. */
function rangeRead(
  { recipe: { incremental }, table }: StreamContext,
  { since, high }: { readonly since: string; readonly high: string },
): TimeRange | undefined {
  const start = rangeOf(incremental, { since, isMerged: isMerged(table) }).since ?? since
  const [from, to] = [start, high].map((cursor) => cursorTimeMs(cursor, incremental?.unit))
  return from === undefined || to === undefined ? undefined : { from, to }
}

/** Adds the state of the windows to a report. */
async function withWindows(
  { database, writeSignal }: StreamContext,
  report: StreamReport,
  backfill: string | undefined,
  { range: { from, to, window, zone } }: BackfillStreamOptions,
): Promise<StreamReport> {
  if (backfill === undefined) return report
  const found = await readBackfill(database, backfill, writeSignal).catch(() => undefined)
  if (!found) return report
  return { ...report, backfill: { id: found.id, from, to, window, zone, windows: found.windows } }
}
