import type { Pipeline } from '../../define/pipeline.ts'
import { sqlState } from '../../database/errors.ts'
import type { Database } from '../../database/database.ts'
import { findBackfill, findDoneElsewhere } from '../../ledger/backfills.ts'
import { readCursors } from '../../ledger/cursors.ts'
import { readWindows, type StoredWindow } from '../../ledger/read/read-windows.ts'
import type { WindowSelection } from '../../ledger/slices/windows.ts'
import type { StreamName } from '../../ledger/stream-name.ts'
import type { Window } from '../../model/window.ts'
import { defined } from '../../value/defined.ts'
import { UsageError } from '../../model/errors.ts'
import type { BackfillPlan, PlannedWindow } from './backfill-plan.ts'
import { boundsOf, calendarWindows, instantText } from './calendar-windows.ts'
import { chosenStreams } from '../chosen-streams.ts'
import { openStoreToRead } from '../open-store.ts'
import type { BackfillOptions } from '../options.ts'
import { windowFault } from './windowable.ts'

/** The streams that a backfill reads, with those that cannot be read in windows, and why. */
export interface Windowable {
  readonly streams: readonly string[]
  readonly left: ReadonlyMap<string, string>
}

/**
 * A stream that was asked for by name and cannot be read in windows is an error; of all streams of a pipeline, those
 * that can are read.
 */
export function windowableStreams(
  pipeline: Pipeline,
  asked: string | undefined,
  cursors: ReadonlyMap<string, string> = new Map(),
): Windowable {
  const left = new Map<string, string>()
  const streams = chosenStreams(pipeline, asked === undefined ? undefined : [asked]).filter((name) => {
    const fault = windowFault(pipeline.streams[name]!, cursors.get(name))
    if (fault !== undefined) left.set(name, fault)
    return fault === undefined
  })
  if (streams.length === 0)
    throw new UsageError(
      `It cannot be read in windows. ${[...left].map(([name, fault]) => `${pipeline.name}.${name}: ${fault}`).join('. ')}`,
    )
  return { streams, left }
}

/** Where the streams of a pipeline stand. */
export async function cursorsOf(database: Database, pipeline: string): Promise<ReadonlyMap<string, string>> {
  return new Map((await readCursors(database, { pipeline })).map(({ stream, value }) => [stream, value]))
}

/** What a backfill would do, window by window. Nothing is asked of an API, and nothing is written. */
export async function backfillPlan(
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
  windowableStreams(pipeline, stream)
  await using store = await openStoreToRead({ database, ...(environment && { environment }), signal })
  const cursors = store && (await orNothing(cursorsOf(store.database, pipeline.name)))
  const plans: BackfillPlan[] = []
  for (const name of windowableStreams(pipeline, stream, cursors).streams) {
    const place = { pipeline: pipeline.name, stream: name }
    const found = store && (await orNothing(findBackfill(store.database, { ...place, ...range }, signal)))
    const planned =
      found && store
        ? (await readWindows(store.database, found.id, { only, onlyWindows, signal })).map(plannedWindow)
        : await newWindows(store?.database, place, windows, { only, onlyWindows, signal })
    const count = (status: PlannedWindow['status']): number => planned.filter((one) => one.status === status).length
    plans.push({
      ...place,
      backfill: found?.id,
      ...range,
      windows: planned,
      toRead: planned.filter(({ toRead }) => toRead).length,
      counts: {
        total: planned.length,
        done: count('done'),
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
  toRead: window.isSelected,
  ...defined({ error: window.error }),
})

/** Returns the windows of a backfill that has no plan yet: none has failed, and `missing` skips those done elsewhere. */
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
      toRead: isChosen && only !== 'failed' && !isSkipped,
    }
  })
}

/** Nothing has run there yet, or nothing of this version. */
async function orNothing<T>(asking: Promise<T>): Promise<T | undefined> {
  try {
    return await asking
  } catch (error) {
    if (['42P01', '3F000', '42883', '42703'].includes(sqlState(error) ?? '')) return undefined
    throw error
  }
}
