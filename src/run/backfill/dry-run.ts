import type { Pipeline } from '../../define/pipeline.ts'
import { sqlState } from '../../database/errors.ts'
import type { Database } from '../../database/database.ts'
import { findBackfill, findDoneElsewhere } from '../../ledger/backfills.ts'
import { readWindows, type StoredWindow } from '../../ledger/read/read-windows.ts'
import type { WindowSelection } from '../../ledger/slices/windows.ts'
import type { StreamName } from '../../ledger/stream-name.ts'
import type { Window } from '../../model/window.ts'
import { defined } from '../../value/defined.ts'
import type { BackfillPlan, PlannedWindow } from './backfill-plan.ts'
import { boundsOf, calendarWindows, instantText } from './calendar-windows.ts'
import { openStoreToRead } from '../open-store.ts'
import type { BackfillOptions } from '../options.ts'
import { rejectLongWindows } from './reject-long-windows.ts'
import { storedCursors } from '../stored-cursors.ts'
import { windowableStreams } from './windowable.ts'

/** Returns what a backfill would read, window by window. Nothing is requested or written. */
export async function dryRunBackfill(
  pipeline: Pipeline,
  {
    stream,
    database,
    environment,
    only,
    onlyWindows: lowers,
    window = '1d',
    signal = new AbortController().signal,
    ...words
  }: BackfillOptions,
): Promise<BackfillPlan[]> {
  const { windows, ...range } = calendarWindows({ ...words, window })
  const onlyWindows = boundsOf(windows, lowers)
  rejectLongWindows(pipeline, windowableStreams(pipeline, stream).streams, { window, windows })
  await using store = await openStoreToRead({ database, ...(environment && { environment }), signal })
  const cursors = store && (await orNothing(storedCursors(store.database, pipeline.name)))
  const plans: BackfillPlan[] = []
  for (const name of windowableStreams(pipeline, stream, cursors).streams) {
    const streamName = { pipeline: pipeline.name, stream: name }
    const found = store && (await orNothing(findBackfill(store.database, { ...streamName, ...range }, signal)))
    const planned =
      found && store
        ? (await readWindows(store.database, found.id, { only, onlyWindows, signal })).map(plannedWindow)
        : await newWindows(store?.database, streamName, windows, { only, onlyWindows, signal })
    const count = (status: PlannedWindow['status']): number => planned.filter((one) => one.status === status).length
    plans.push({
      ...streamName,
      backfill: found?.id,
      ...range,
      windows: planned,
      toRead: planned.filter(({ toRead }) => toRead).length,
      counts: {
        total: planned.length,
        done: count('done'),
        unproven: planned.filter(({ isUnproven }) => isUnproven).length,
        failed: count('failed'),
        skipped: count('skipped'),
        open: count('open'),
      },
    })
  }
  return plans
}

const plannedWindow = (window: StoredWindow): PlannedWindow => ({
  lower: instantText(window.lower),
  upper: instantText(window.upper),
  status: window.isSkippable ? 'skipped' : window.status,
  isUnproven: window.isUnproven,
  toRead: window.isSelected,
  ...defined({ error: window.error }),
})

/**
 * Returns the windows of a backfill that has no plan yet: none has failed, and `missing` skips those done elsewhere.
 */
async function newWindows(
  database: Database | undefined,
  name: StreamName,
  windows: readonly Window[],
  { only, onlyWindows, signal }: WindowSelection & { readonly signal: AbortSignal },
): Promise<PlannedWindow[]> {
  const isMissing = database !== undefined && only === 'missing'
  const done = isMissing ? await orNothing(findDoneElsewhere(database, name, windows, { signal })) : undefined
  return windows.map(({ lower, upper }, index) => {
    const isSkipped = done?.has(index) === true
    const isChosen = onlyWindows?.includes(lower) !== false
    return {
      lower,
      upper,
      status: isSkipped ? 'skipped' : 'open',
      isUnproven: false,
      toRead: isChosen && only !== 'failed' && !isSkipped,
    }
  })
}

/** Returns undefined if the ledger is missing, or is one of an earlier version. */
export async function orNothing<T>(asking: Promise<T>): Promise<T | undefined> {
  try {
    return await asking
  } catch (error) {
    if (['42P01', '3F000', '42883', '42703'].includes(sqlState(error) ?? '')) return undefined
    throw error
  }
}
