import { duration, durationText } from '../../../value/duration.ts'
import { deadline, TimeoutError } from '../../../flow/signals/timeout.ts'
import { UsageError } from '../../../model/errors.ts'
import type { Report } from '../../../model/report.ts'
import { findPipelines, type FoundPipeline } from '../../../run/find-pipelines.ts'
import { keepDatabase } from '../../../run/open-store.ts'
import { reportText } from '../../../run/report/report-text.ts'
import { run } from '../../../run/run.ts'
import { summaryLine } from '../../../run/report/summary-line.ts'
import type { CommonOptions, CommandContext } from '../../execute-command.ts'
import { eventLog } from '../../progress/event-log.ts'
import { openProgress, outputModeOf, type OutputMode } from '../../progress/open-progress.ts'
import { SummaryFile } from '../../output/summary-file.ts'
import { exitCodeOf, printError, printStack } from '../../output/print-error.ts'

export interface RunCommandOptions extends CommonOptions {
  readonly stream?: readonly string[]
  readonly full?: boolean
  readonly dryRun?: boolean
  readonly limit?: number
  readonly timeout?: string
  readonly overlap?: 'skip' | 'wait' | 'fail'
  readonly batchRows?: number
  readonly concurrency?: number
  /** In megabytes. */
  readonly memory?: number
  readonly json?: boolean
  readonly quiet?: boolean
  readonly summaryFile?: string
}

/** `sluice run`: one pipeline after the other; one that fails leaves the others running. */
export async function runCommand(
  words: [string[]],
  options: RunCommandOptions,
  context: CommandContext,
): Promise<number> {
  const { limit, dryRun = false, json = false, quiet = false, summaryFile } = options
  if (limit !== undefined && !dryRun)
    throw new UsageError('--limit goes with --dry-run: a run that stores rows reads all there is')
  if (dryRun && (quiet || summaryFile !== undefined))
    throw new UsageError(
      `--${quiet ? 'quiet' : 'summary-file'} does not go with --dry-run, which is there to show something`,
    )
  if (quiet && json)
    throw new UsageError(
      '--quiet and --json say two things of what is printed: choose one, and --summary-file for the reports beside it',
    )
  if (summaryFile === undefined) return runAll(words, options, context)
  const summary = await SummaryFile.open(summaryFile, context)
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

async function runAll(
  [words]: [string[]],
  options: RunCommandOptions & { readonly summary?: SummaryFile },
  context: CommandContext,
): Promise<number> {
  const { dryRun = false } = options
  const limitMs = options.timeout === undefined ? Infinity : parseTimeout(options.timeout)
  const found = withStreams(await findPipelines(words), options.stream)
  using time = deadline(context.signal, limitMs, 'The run')
  if (dryRun) return await (await import('./dry-run.ts')).dryRun(found, options, { ...context, signal: time.signal })

  // Without this the embedded database would stop and start between two pipelines.
  await using _kept =
    found.length > 1 ? await keepDatabase({ database: options.database, signal: time.signal }) : undefined
  let code = 0
  for (const one of found) {
    if (time.signal.aborted) break
    code = Math.max(code, await runOne(one, options, { ...context, signal: time.signal }))
  }
  const { reason } = time.signal as { readonly reason: unknown }
  if (!(reason instanceof TimeoutError)) return code
  if (!options.quiet)
    console.error(
      `sluice: the run was ended by --timeout ${durationText(limitMs)}; what was whole is committed, and the next run goes on from there`,
    )
  return 1
}

/** One pipeline, shown as it goes on; answers the exit code. */
export async function runOne(
  { pipeline, streams }: FoundPipeline,
  options: RunCommandOptions & { readonly mode?: OutputMode; readonly summary?: SummaryFile },
  { signal, verbose, hide }: CommandContext,
): Promise<number> {
  const mode = options.mode ?? outputModeOf(options)
  const { full = false, overlap = 'fail', quiet = false, batchRows, concurrency, memory, database, summary } = options
  const names = Object.keys(pipeline.streams).filter((name) => !streams || streams.includes(name))
  const failures: unknown[] = []
  const log = mode === 'events' && !quiet ? eventLog(pipeline.name, process.stdout, { verbose }) : undefined
  const running = async (): Promise<Report> => {
    using progress = log ?? openProgress(quiet ? 'json' : (mode as Exclude<OutputMode, 'events'>), names)
    return await run(pipeline, {
      signal,
      full,
      overlap,
      streams: streams ?? [],
      onEvent: progress.on,
      onStreamError: (_, error) => failures.push(error),
      ...(database !== undefined && { database }),
      ...(batchRows !== undefined && { batch: { rows: batchRows } }),
      ...(concurrency !== undefined && { concurrency }),
      ...(memory !== undefined && { memory: memory * 1_048_576 }),
    })
  }
  try {
    const report = await running()
    summary?.report(report)
    if (quiet) printSummaryLine(report, signal)
    else if (log) log.report(report)
    else console.log(mode === 'json' ? JSON.stringify(report) : `\n${reportText(report)}`)
    if (mode === 'json' && !quiet)
      for (const [name, { error }] of Object.entries(report.streams))
        if (error !== undefined) console.error(`${pipeline.name}.${name} failed: ${error}`)
    if (verbose) for (const failure of failures) printStack(failure, hide)
    return exitCodeOfReport(report)
  } catch (error) {
    summary?.error(error, pipeline.name)
    if (error instanceof TimeoutError && error === signal.reason) {
      if (quiet) console.error(`${pipeline.name}: ${error.message}, and it had not begun`)
      return 1
    }
    // What keeps one pipeline from beginning may not concern the next.
    return printError(error, { verbose, hide })
  }
}

/** Success on stdout, all else on stderr: `>/dev/null` leaves what somebody has to look at. */
function printSummaryLine(report: Report, { reason }: AbortSignal): void {
  const line = summaryLine(report)
  if (report.status === 'done') console.log(line)
  else console.error(reason instanceof TimeoutError ? `${line}; ${reason.message}` : line)
}

export const exitCodeOfReport = ({ status }: Report): number => (status === 'done' ? 0 : status === 'failed' ? 1 : 130)

/** `--stream` means every pipeline that was named, and must fit them all. */
export function withStreams(found: readonly FoundPipeline[], streams: readonly string[] | undefined): FoundPipeline[] {
  if (!streams || streams.length === 0) return [...found]
  return found.map((one) => {
    const names = Object.keys(one.pipeline.streams)
    const unknown = streams.filter((stream) => !names.includes(stream))
    if (unknown.length > 0)
      throw new UsageError(
        `${one.pipeline.name} has no stream ${unknown.map((stream) => `'${stream}'`).join(', ')}: it has ${names.join(', ')}`,
      )
    return { ...one, streams: [...new Set([...(one.streams ?? []), ...streams])] }
  })
}

export function parseTimeout(text: string): number {
  try {
    return duration(text)
  } catch (error) {
    throw new UsageError(`--timeout: ${(error as Error).message}`, { cause: error })
  }
}
