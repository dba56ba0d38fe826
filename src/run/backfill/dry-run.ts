import type { Pipeline } from '../../define/pipeline.ts'
import { sqlState } from '../../database/errors.ts'
import type { Database } from '../../database/database.ts'
import { backfilled, findBackfill } from '../../ledger/backfills.ts'
import { readCursors } from '../../ledger/cursors.ts'
import { readWindows } from '../../ledger/read/read-windows.ts'
import { UsageError } from '../../model/errors.ts'
import type { BackfillPlan, PlannedWindow } from './backfill-plan.ts'
import { calendarWindows, instantText } from './calendar-windows.ts'
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
    window = '1d',
    signal = new AbortController().signal,
    ...words
  }: BackfillOptions,
): Promise<BackfillPlan[]> {
  const { windows, ...range } = calendarWindows({ ...words, window })
  windowableStreams(pipeline, stream)
  await using store = await openStoreToRead({ database, ...(environment && { environment }), signal })
  const cursors = store && (await orNothing(cursorsOf(store.database, pipeline.name)))
  const plans: BackfillPlan[] = []
  for (const name of windowableStreams(pipeline, stream, cursors).streams) {
    const place = { pipeline: pipeline.name, stream: name }
    const found = store && (await orNothing(findBackfill(store.database, { ...place, ...range }, signal)))
    const before = store && (await orNothing(backfilled(store.database, place, windows, { but: found?.id, signal })))
    const stored = found && store ? await readWindows(store.database, found.id, signal) : []
    const planned = (
      stored.length > 0
        ? stored.map((one) => ({ ...one, lower: instantText(one.lower), upper: instantText(one.upper) }))
        : windows.map((one) => ({ ...one, status: 'open' as const, failures: 0, batches: 0, error: undefined }))
    ).map(({ lower, upper, status, failures, batches, error }, at) => {
      const isLeftOut = only === 'missing' && batches === 0 && status !== 'done' && before?.has(at) === true
      const isMeant =
        only === 'failed'
          ? failures > 0 && status !== 'done'
          : only === 'all'
            ? status !== 'done'
            : status === 'open' || status === 'failed'
      return {
        lower,
        upper,
        status: isLeftOut ? ('skipped' as const) : status,
        toRead: isMeant && !isLeftOut,
        ...(error !== undefined && { error }),
      }
    })
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

/** Nothing has run there yet, or nothing of this version. */
async function orNothing<T>(asking: Promise<T>): Promise<T | undefined> {
  try {
    return await asking
  } catch (error) {
    if (['42P01', '3F000', '42883', '42703'].includes(sqlState(error) ?? '')) return undefined
    throw error
  }
}
