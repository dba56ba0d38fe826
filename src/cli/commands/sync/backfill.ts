import { deadline, TimeoutError } from '../../../flow/signals/timeout.ts'
import type { Flows } from '../../../define/pipeline.ts'
import { PausedError, UsageError } from '../../../model/errors.ts'
import type { Duration } from '../../../model/request.ts'
import { backfillPipeline } from '../../../run/backfill/backfill-pipeline.ts'
import { dryRunBackfill } from '../../../run/backfill/dry-run.ts'
import type { FoundPipeline } from '../../../run/find-pipelines.ts'
import { keepDatabase } from '../../../run/open-store.ts'
import type { BackfillOptions } from '../../../run/options.ts'
import { defined } from '../../../value/defined.ts'
import { messageOf } from '../../../value/error.ts'
import { duration } from '../../../value/duration.ts'
import type { CommandContext, CommonOptions } from '../../execute-command.ts'
import { outputModeOf } from '../../progress/open-progress.ts'
import { printError } from '../../output/print-error.ts'
import { selectStreams } from '../stream-names.ts'
import { findAccounts, notStarted, runAccounts } from './run-accounts.ts'
import { checkHasMirror, checkMostDeletesText, mostDeletesOf } from './most-deletes.ts'
import { printEstimates } from './print-estimate.ts'
import { printPlan } from './print-plan.ts'
import { exitCodeOfReport, runAndReport } from './run-and-report.ts'

export interface BackfillCommandOptions extends CommonOptions {
  readonly stream?: string
  readonly account?: readonly string[]
  readonly accountsAtOnce?: number
  readonly from: string
  readonly to: string
  readonly window: string
  readonly zone: string
  readonly concurrency?: number
  readonly only?: 'missing' | 'failed' | 'all'
  readonly mostDeletes?: string
  readonly dryRun?: boolean
  readonly estimate?: boolean
  readonly distribute?: boolean
  readonly batchRows?: number
  /** Bytes. */
  readonly memory?: number
  readonly timeout?: Duration
  readonly json?: boolean
  readonly logFormat?: 'text' | 'json'
}

/** `sluice backfill`: reads a range of a stream, window by window; of each account of a pipeline that has several. */
export async function backfillCommand(
  [word]: [string],
  options: BackfillCommandOptions,
  context: CommandContext,
): Promise<number> {
  const { timeout, dryRun = false, json = false, estimate = false, mostDeletes } = options
  checkMostDeletesText(mostDeletes)
  const { found: all, failed } = await findAccounts([word], options, context)
  const found = selectStreams(all, options.stream === undefined ? undefined : [options.stream])
  if (found.some(({ streams }) => streams && streams.length > 1))
    throw new UsageError(`${word}: give one stream, or none for all streams that can be read in windows`)
  checkHasMirror(mostDeletes, found)
  using time = deadline(context.signal, timeout === undefined ? Infinity : duration(timeout), 'The backfill')
  const limited = { ...context, signal: time.signal }
  const code = Math.max(0, ...failed.map((error) => notStarted(error, options, limited)))
  if (dryRun && options.distribute)
    throw new UsageError('--distribute cannot be combined with --dry-run, which reads nothing')
  if (dryRun) {
    const planned = found.map(({ pipeline, streams }) => dryRunBackfill(pipeline, rangeOf(options, streams, limited)))
    const plans = (await Promise.all(planned)).flat()
    if (json) console.log(JSON.stringify(plans))
    else for (const plan of plans) printPlan(plan)
    return code
  }
  const mode = outputModeOf(options)
  if (estimate || mode === 'live' || mode === 'plain') {
    const telling = printEstimates(found, {
      rangeOf: ({ streams }) => rangeOf(options, streams, limited),
      accountsAtOnce: options.accountsAtOnce,
      isAlone: estimate,
      json,
    })
    // Nothing that a backfill does depends on it.
    await (estimate ? telling : telling.catch((error: unknown) => tellUnknown(error, limited)))
    if (estimate) return code
  }
  const ended = Math.max(code, await backfillAll(found, options, limited))
  const { reason } = time.signal as { readonly reason: unknown }
  if (!(reason instanceof TimeoutError)) return ended
  console.error(
    `sluice: --timeout ${String(timeout)} stopped the backfill; complete batches are committed, ` +
      'and the same command continues from there',
  )
  return 1
}

function tellUnknown(error: unknown, { signal, hide }: CommandContext): void {
  signal.throwIfAborted()
  // The backfill itself says what is wrong with its range or its secrets.
  if (error instanceof UsageError) return
  console.log(hide(`What it will cost could not be found out: ${messageOf(error)}`))
}

async function backfillAll(
  found: readonly FoundPipeline[],
  options: BackfillCommandOptions,
  context: CommandContext,
): Promise<number> {
  const { memory, accountsAtOnce, mostDeletes } = options
  const mode = outputModeOf(options)
  const alone = async (one: FoundPipeline, share?: { readonly memory: number }): Promise<number> => {
    const { pipeline, streams } = one
    const report = await runAndReport(
      (hooks) =>
        runner(options)(pipeline, {
          ...rangeOf(options, streams, context),
          ...mostDeletesOf(mostDeletes, one),
          ...share,
          ...hooks,
        }),
      { pipeline: pipeline.name, streams: streams ?? Object.keys(pipeline.streams), mode },
      context,
    )
    return exitCodeOfReport(report)
  }
  const [first, other] = found
  if (first && !other) return alone(first)
  // Several runs at once would each start the embedded database.
  await using _kept = await keepDatabase({ database: options.database, signal: context.signal })
  return await runAccounts(
    found,
    {
      memory,
      accountsAtOnce,
      mode,
      kind: 'backfill',
      alone: (account, share) =>
        alone(account, share).catch((error: unknown) => {
          if (error instanceof PausedError) throw error
          return printError(error, context)
        }),
      run: (one, more) =>
        runner(options)(one.pipeline, {
          ...rangeOf(options, one.streams, context),
          ...mostDeletesOf(mostDeletes, one),
          ...more,
        }),
    },
    context,
  )
}

/** Returns the function that runs a backfill: here, or on workers. */
function runner({ distribute = false, json = false }: BackfillCommandOptions): typeof backfillPipeline<Flows> {
  if (!distribute) return backfillPipeline
  return async (pipeline, options) => {
    const { backfillDistributed } = await import('../../../run/distribute/backfill-distributed.ts')
    return backfillDistributed(pipeline, { ...options, onNote: (note) => void (json || console.error(note)) })
  }
}

function rangeOf(
  { from, to, window, zone, concurrency, only, database, batchRows, memory }: BackfillCommandOptions,
  streams: readonly string[] | undefined,
  { signal }: CommandContext,
): BackfillOptions {
  return {
    ...defined({ concurrency, database, memory }),
    stream: streams?.[0],
    from,
    to,
    window,
    zone,
    only,
    signal,
    ...defined({ batch: batchRows === undefined ? undefined : { rows: batchRows } }),
  }
}
