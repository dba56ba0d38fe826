import { deadline, TimeoutError } from '../../../flow/signals/timeout.ts'
import { UsageError } from '../../../model/errors.ts'
import type { Duration } from '../../../model/request.ts'
import { backfillPipeline } from '../../../run/backfill/backfill-pipeline.ts'
import { dryRunBackfill } from '../../../run/backfill/dry-run.ts'
import { findPipelines } from '../../../run/find-pipelines.ts'
import type { BackfillOptions } from '../../../run/options.ts'
import { defined } from '../../../value/defined.ts'
import { duration } from '../../../value/duration.ts'
import type { CommandContext, CommonOptions } from '../../execute-command.ts'
import { outputModeOf } from '../../progress/open-progress.ts'
import { selectOne } from '../stream-names.ts'
import { printPlan } from './print-plan.ts'
import { exitCodeOfReport, runAndReport } from './run-and-report.ts'

export interface BackfillCommandOptions extends CommonOptions {
  readonly stream?: string
  readonly from: string
  readonly to: string
  readonly window: string
  readonly zone: string
  readonly concurrency?: number
  readonly only?: 'missing' | 'failed' | 'all'
  readonly dryRun?: boolean
  readonly batchRows?: number
  /** Bytes. */
  readonly memory?: number
  readonly timeout?: Duration
  readonly json?: boolean
}

/** `sluice backfill`: reads a range of a stream, window by window. */
export async function backfillCommand(
  [word]: [string],
  options: BackfillCommandOptions,
  context: CommandContext,
): Promise<number> {
  const { timeout, dryRun = false, json = false, batchRows, memory } = options
  const { pipeline, streams } = selectOne(
    await findPipelines([word]),
    options.stream === undefined ? undefined : [options.stream],
  )
  if (streams && streams.length > 1)
    throw new UsageError(`${word}: give one stream, or none for all streams that can be read in windows`)
  using time = deadline(context.signal, timeout === undefined ? Infinity : duration(timeout), 'The backfill')
  const { from, to, window, zone, concurrency, only, database } = options
  const given: BackfillOptions = {
    ...defined({ concurrency, database, memory }),
    stream: streams?.[0],
    from,
    to,
    window,
    zone,
    only,
    signal: time.signal,
    ...defined({ batch: batchRows === undefined ? undefined : { rows: batchRows } }),
  }
  if (dryRun) {
    const plans = await dryRunBackfill(pipeline, given)
    if (json) console.log(JSON.stringify(plans))
    else for (const plan of plans) printPlan(plan)
    return 0
  }
  const report = await runAndReport(
    (hooks) => backfillPipeline(pipeline, { ...given, ...hooks }),
    { pipeline: pipeline.name, streams: streams ?? Object.keys(pipeline.streams), mode: outputModeOf({ json }) },
    context,
  )
  const { reason } = time.signal as { readonly reason: unknown }
  if (!(reason instanceof TimeoutError)) return exitCodeOfReport(report)
  console.error(
    `sluice: --timeout ${String(timeout)} stopped the backfill; complete batches are committed, ` +
      'and the same command continues from there',
  )
  return 1
}
