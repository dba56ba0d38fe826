import type { Flow } from '../../define/flow.ts'
import type { Pipeline } from '../../define/pipeline.ts'
import { findBackfill } from '../../ledger/backfills.ts'
import { stillExtra } from '../../load/compare/still-extra.ts'
import type { Comparison } from '../../load/compare/comparison.ts'
import type { Report, StreamReport } from '../../model/report.ts'
import type { Window } from '../../model/window.ts'
import { defined } from '../../value/defined.ts'
import { ActiveRun } from '../active-run.ts'
import { backfillStream } from '../backfill/backfill-stream.ts'
import { windowProblem, windowWarning } from '../backfill/windowable.ts'
import { DEFAULTS, type RunOptions } from '../options.ts'
import { RunContext } from '../run-context.ts'
import { runPipeline } from '../run-pipeline.ts'
import { StreamContext } from '../stream-context.ts'
import type { RepairPlan } from './repair-plan.ts'
import { listFaultsIn, type Repair, type VerifiedPart } from './verification.ts'

export interface RepairOptions extends Pick<RunOptions, 'database' | 'environment' | 'signal'> {
  readonly pipeline: Pipeline
  readonly stream: string
  readonly flow: Flow<unknown>
  readonly cursor: string | undefined
  /** Only a range was read, so only that is read again. */
  readonly isRange: boolean
  /** What was found. */
  readonly found: Pick<VerifiedPart, 'counts' | 'lists'>
}

/**
 * Puts missing and stale rows, and nested lists, right: a backfill reads the ranges of the plan again, or a full run
 * the whole stream. So every rule of writing holds, also beside other runs. Then the rows are compared once more.
 */
export async function repair(plan: RepairPlan, comparison: Comparison, options: RepairOptions): Promise<Repair> {
  const { flow, cursor, stream, found } = options
  const mayRange = windowProblem(flow, cursor) === undefined && windowWarning(flow.recipe) === undefined
  const isCheap = options.isRange || plan.pagesAgain < plan.pages / 2
  const how = options.isRange || (mayRange && isCheap && !plan.isUnlocated) ? 'windows' : 'full'
  const report = how === 'windows' ? await readAgain(plan.ranges, options) : await readAll(options)
  const { counts, requests, error } = report.streams[stream] as StreamReport
  const left = await comparison.compareAgain()
  const { extra } = found.counts
  const extraLeft =
    extra === 0 || !flow.table.mirror || how === 'windows' ? extra : await stillExtra(comparison, flow.table)
  const lists = listFaultsIn(found)
  const listsLeft = lists === 0 ? 0 : ((await comparison.rows.lists?.countAgain(comparison.beginning)) ?? lists)
  return {
    how,
    run: report.run,
    status: report.status,
    ...(how === 'windows' && { ranges: plan.ranges.map(({ lower, upper }) => ({ from: lower, to: upper })) }),
    inserted: counts.inserted,
    updated: counts.updated,
    requests,
    missing: found.counts.missing - left.missing,
    stale: found.counts.stale - left.stale,
    extra: extra - extraLeft,
    left: left.missing + left.stale,
    ...(lists > 0 && { lists: { repaired: lists - listsLeft, left: listsLeft } }),
    ...defined({ error }),
  }
}

const readAll = ({ pipeline, stream, database, environment, signal }: RepairOptions): Promise<Report> =>
  // A full run needs the stream for itself. The other run reads only what is new.
  runPipeline(pipeline, {
    ...defined({ database, environment, signal }),
    streams: [stream],
    full: true,
    overlap: 'wait',
  })

/** Reads ranges again in one run, each as a backfill of one window. */
async function readAgain(
  ranges: readonly Window[],
  { pipeline, stream: name, flow, database, environment, signal }: RepairOptions,
): Promise<Report> {
  await using context = await RunContext.open(pipeline, {
    ...defined({ database, environment, signal }),
    connections: 6,
  })
  const options = { repair: true, ranges: ranges.length, from: ranges[0]?.lower, to: ranges.at(-1)?.upper }
  await using run = await ActiveRun.start(context, { kind: 'backfill', streams: [name], options })
  // The ranges are as short as a page. A mirror would refuse to delete half of their few rows, and fail the repair. It
  // is not taken off the table: an unfinished reading of everything has to know that these records are there.
  const stream = new StreamContext(run, name, { batch: DEFAULTS.batch, table: flow.table, deletesMissing: false })
  let report: StreamReport | undefined
  for (const range of ranges) {
    const window = await unusedLength(stream, range)
    report = await backfillStream(stream, {
      range: { from: range.lower, to: range.upper, window, zone: 'UTC', windows: [range] },
      selection: {},
      concurrency: 1,
    })
    if (report.status !== 'done') break
  }
  const { backfill: _, ...whole } = report ?? stream.tally.report('done')
  run.finishStream(name, whole)
  return await run.finish()
}

const HOUR_MS = 3_600_000

/**
 * Returns a length of windows with which no backfill of this range exists: an earlier one would be continued, and its
 * window is done. A length that is at least that of the range makes it one window.
 */
async function unusedLength(
  { database, pipeline, stream, readSignal }: StreamContext,
  { lower, upper }: Window,
): Promise<string> {
  const hours = Math.ceil((Date.parse(upper) - Date.parse(lower)) / HOUR_MS)
  const unit = hours < 9_000 ? 'h' : 'd'
  for (let length = unit === 'h' ? hours : Math.ceil(hours / 24); ; length += 1) {
    const window = `${length}${unit}`
    const identity = { pipeline, stream, from: lower, to: upper, window, zone: 'UTC' }
    if (!(await findBackfill(database, identity, readSignal))) return window
  }
}
