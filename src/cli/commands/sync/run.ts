import type { Flows, Pipeline } from '../../../define/pipeline.ts'
import { defined } from '../../../value/defined.ts'
import { duration } from '../../../value/duration.ts'
import { messageOf } from '../../../value/error.ts'
import { deadline, TimeoutError } from '../../../flow/signals/timeout.ts'
import { withoutAccount } from '../../../model/account.ts'
import { PausedError, UsageError } from '../../../model/errors.ts'
import type { Report } from '../../../model/report.ts'
import type { Duration } from '../../../model/request.ts'
import type { FoundPipeline } from '../../../run/find-pipelines.ts'
import type { RunOptions } from '../../../run/options.ts'
import { keepDatabase } from '../../../run/open-store.ts'
import { openStreams } from '../../../model/open-streams.ts'
import { summaryLine } from '../../../run/report/summary-line.ts'
import { runPipeline } from '../../../run/run-pipeline.ts'
import type { CommandContext, CommonOptions } from '../../execute-command.ts'
import { exitCodeOf, printError } from '../../output/print-error.ts'
import { lookHint } from '../../output/look-hint.ts'
import { SummaryFile } from '../../output/summary-file.ts'
import { outputModeOf, type OutputMode } from '../../progress/open-progress.ts'
import { selectStreams } from '../stream-names.ts'
import { checkHasMirror, checkMostDeletesText, mostDeletesOf } from './most-deletes.ts'
import { tellAfterRun } from './tell-after-run.ts'
import { findAccounts, notStarted, printPaused, runAccounts } from './run-accounts.ts'
import { exitCodeOfReport, runAndReport } from './run-and-report.ts'

export interface RunCommandOptions extends CommonOptions {
  readonly stream?: readonly string[]
  readonly account?: readonly string[]
  readonly accountsAtOnce?: number
  readonly full?: boolean
  readonly dryRun?: boolean
  readonly limit?: number
  readonly timeout?: Duration
  readonly overlap?: 'skip' | 'wait' | 'fail'
  readonly mostDeletes?: string
  readonly receipt?: boolean
  readonly distribute?: boolean
  readonly batchRows?: number
  readonly concurrency?: number
  /** Bytes. */
  readonly memory?: number
  readonly json?: boolean
  readonly logFormat?: 'text' | 'json'
  readonly quiet?: boolean
  readonly summaryFile?: string
}

/** `sluice run`: runs pipelines one after the other. A pipeline that fails does not stop the others. */
export async function runCommand(words: [string[]], options: RunCommandOptions, context: CommandContext) {
  refuseContradictions(options)
  if (options.summaryFile === undefined) return runAll(words, options, context)
  const summary = await SummaryFile.open(options.summaryFile, context)
  let code: number
  try {
    code = await runAll(words, { ...options, summary }, context)
  } catch (error) {
    summary.error(error)
    await summary.write(exitCodeOf(error))
    throw error
  }
  await summary.write(code)
  return code
}

function refuseContradictions(options: RunCommandOptions) {
  const { limit, dryRun = false, json = false, logFormat, quiet = false, summaryFile, mostDeletes } = options
  if (limit !== undefined && !dryRun)
    throw new UsageError('--limit needs --dry-run: a run that stores rows reads all records')
  if (dryRun && (quiet || summaryFile !== undefined))
    throw new UsageError(`--${quiet ? 'quiet' : 'summary-file'} cannot be combined with --dry-run, which shows rows`)
  checkMostDeletesText(mostDeletes)
  if (dryRun && mostDeletes !== undefined)
    throw new UsageError('--most-deletes cannot be combined with --dry-run, which deletes nothing')
  if (dryRun && options.receipt)
    throw new UsageError('--receipt cannot be combined with --dry-run, which writes nothing')
  if (dryRun && options.distribute)
    throw new UsageError('--distribute cannot be combined with --dry-run, which reads here and writes nothing')
  if (quiet && json)
    throw new UsageError('--quiet cannot be combined with --json; --summary-file writes the reports to a file')
  const other = Object.entries({ json, quiet, 'dry-run': dryRun }).find(([, isGiven]) => isGiven)
  if (logFormat === 'json' && other)
    throw new UsageError(`--log-format json cannot be combined with --${other[0]}: it prints each event of a run`)
}

async function runAll(
  [words]: [string[]],
  options: RunCommandOptions & { readonly summary?: SummaryFile },
  context: CommandContext,
): Promise<number> {
  const { dryRun = false, timeout, quiet = false, database } = options
  const { found: all, failed } = await findAccounts(words, options, context)
  const found = selectStreams(all, options.stream)
  checkHasMirror(options.mostDeletes, found)
  using time = deadline(context.signal, timeout === undefined ? Infinity : duration(timeout), 'The run')
  const limited = { ...context, signal: time.signal }
  let code = Math.max(0, ...failed.map((error) => notStarted(error, options, limited)))
  if (dryRun) return Math.max(code, await (await import('./dry-run.ts')).dryRun(found, options, limited))

  const reports: Report[] = []
  // Nobody has asked for this one, or another run would be skipped too.
  const leavesPausedOut = words.length === 0 || options.overlap === 'skip'
  const collected: CollectedOptions = { ...options, leavesPausedOut, onReport: (report) => reports.push(report) }
  // Keeps the embedded database running between two pipelines.
  await using _kept =
    found.length > 1 ? await keepDatabase({ database: options.database, signal: time.signal }) : undefined
  for (const [first, ...others] of groupsOf(found)) {
    if (time.signal.aborted || !first) break
    const isOne = first.pipeline.account === undefined || others.length === 0
    const ran = isOne ? runOne(first, collected, limited) : runGroup([first, ...others], collected, limited)
    code = Math.max(code, await ran)
  }
  if (!context.signal.aborted) await tellAfterRun(found, { database }, context)
  const mode = quiet ? 'json' : outputModeOf(options)
  const hint = mode === 'live' || mode === 'plain' ? lookHint(reports, { database }) : undefined
  if (hint !== undefined) console.log(`\n${hint}`)
  const { reason } = time.signal as { readonly reason: unknown }
  if (!(reason instanceof TimeoutError)) return code
  if (!options.quiet)
    console.error(
      `sluice: --timeout ${String(timeout)} stopped the run; complete batches are committed, ` +
        'and the next run continues from there',
    )
  return 1
}

/** What is collected while pipelines run. */
interface CollectedOptions extends RunCommandOptions {
  readonly summary?: SummaryFile
  readonly onReport?: (report: Report) => void
  /** What is paused is left out with a line, and is no failure. @default false */
  readonly leavesPausedOut?: boolean
  /** Throw the error of a pause, which the caller shows. @default false */
  readonly throwsPaused?: boolean
}

/** Returns the accounts of each pipeline together. */
const groupsOf = (found: readonly FoundPipeline[]): FoundPipeline[][] => [
  ...Map.groupBy(found, ({ pipeline }) => withoutAccount(pipeline.name)).values(),
]

/** What `--json` prints for an account that could not start. */
const notStartedLine = ({ name, account }: Pipeline, error: string) => ({
  pipeline: name,
  account: account?.name,
  status: 'failed',
  error,
})

/** Runs the accounts of one pipeline, several at a time. */
async function runGroup(
  accounts: readonly FoundPipeline[],
  options: CollectedOptions,
  context: CommandContext,
): Promise<number> {
  const { quiet = false, memory, accountsAtOnce, summary, onReport, leavesPausedOut = false } = options
  return runAccounts(
    accounts,
    {
      memory,
      accountsAtOnce,
      mode: quiet ? 'json' : outputModeOf(options),
      kind: 'sync',
      leavesPausedOut,
      alone: (account, share) => runOne(account, { ...options, ...share, throwsPaused: true }, context),
      run: async (account, more) => {
        const { pipeline } = account
        try {
          const report = await runner(options)(pipeline, { ...runOptionsOf(options, account, context), ...more })
          summary?.report(report)
          onReport?.(report)
          return report
        } catch (error) {
          if (!(error instanceof PausedError)) summary?.error(error, pipeline.name)
          throw error
        }
      },
    },
    context,
  )
}

function runOptionsOf(options: RunCommandOptions, found: FoundPipeline, { signal }: CommandContext): RunOptions {
  const { full = false, overlap = 'fail', mostDeletes, receipt, batchRows, concurrency, memory, database } = options
  const { streams } = found
  return {
    ...defined({ database, concurrency, memory, receipt }),
    ...mostDeletesOf(mostDeletes, found),
    signal,
    full,
    overlap,
    streams: streams ?? [],
    ...defined({ batch: batchRows === undefined ? undefined : { rows: batchRows } }),
  }
}

/** Returns the function that runs a pipeline: here, or on workers. */
function runner({ distribute = false, quiet = false }: RunCommandOptions): typeof runPipeline<Flows> {
  if (!distribute) return runPipeline
  return async (pipeline, options) => {
    const { runDistributed } = await import('../../../run/distribute/run-distributed.ts')
    return runDistributed(pipeline, { ...options, onNote: (note) => void (quiet || console.error(note)) })
  }
}

/** Runs one pipeline, shows its progress and its report, and returns the exit code. */
export async function runOne(
  found: FoundPipeline,
  options: CollectedOptions & { readonly mode?: OutputMode },
  context: CommandContext,
): Promise<number> {
  const { pipeline, streams } = found
  const { quiet = false, summary, onReport } = options
  const { signal } = context
  const print = (report: Report): void => printSummaryLine(report, pipeline, signal)
  try {
    const report = await runAndReport(
      (hooks) => runner(options)(pipeline, { ...runOptionsOf(options, found, context), ...hooks }),
      {
        pipeline: pipeline.name,
        streams: Object.keys(pipeline.streams).filter((name) => !streams || streams.includes(name)),
        mode: quiet ? 'json' : (options.mode ?? outputModeOf(options)),
        ...defined({ print: quiet ? print : undefined }),
      },
      context,
    )
    summary?.report(report)
    onReport?.(report)
    return exitCodeOfReport(report)
  } catch (error) {
    if (error instanceof PausedError) {
      if (options.throwsPaused) throw error
      if (options.leavesPausedOut) {
        printPaused(pipeline, error, quiet ? 'plain' : (options.mode ?? outputModeOf(options)))
        return 0
      }
    }
    summary?.error(error, pipeline.name)
    if (error instanceof TimeoutError && error === signal.reason) {
      if (quiet) console.error(`${pipeline.name}: ${error.message}, before the pipeline started`)
      return 1
    }
    if (options.json && pipeline.account)
      console.log(JSON.stringify(notStartedLine(pipeline, context.hide(messageOf(error)))))
    // An error that prevents one pipeline from starting may not concern the next one.
    return printError(error, context)
  }
}

/**
 * Prints success on stdout; a failure, and a reading that is not proven complete, on stderr. So cron with `>/dev/null`
 * mails only these.
 */
function printSummaryLine(report: Report, { streams }: Pipeline, { reason }: AbortSignal): void {
  const line = summaryLine(report)
  const isProven = openStreams(report.streams).every((name) => streams[name]?.table.complete === 'any')
  if (report.status === 'done' && isProven) console.log(line)
  else console.error(reason instanceof TimeoutError ? `${line}; ${reason.message}` : line)
}
