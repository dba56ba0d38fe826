import { durationText } from '../../../value/duration.ts'
import { deadline, TimeoutError } from '../../../flow/signals/timeout.ts'
import { UsageError } from '../../../model/errors.ts'
import type { Report } from '../../../model/report.ts'
import { backfill } from '../../../run/backfill/backfill.ts'
import { findPipelines } from '../../../run/find-pipelines.ts'
import type { BackfillOptions } from '../../../run/options.ts'
import type { BackfillPlan } from '../../../run/backfill/backfill-plan.ts'
import { reportText } from '../../../run/report/report-text.ts'
import type { CommonOptions, CommandContext } from '../../execute-command.ts'
import { eventLog } from '../../progress/event-log.ts'
import { openProgress, outputModeOf, type OutputMode } from '../../progress/open-progress.ts'
import { formatNumber } from '../../../value/format.ts'
import { printTable } from '../../output/print-rows.ts'
import { printStack } from '../../output/print-error.ts'
import { exitCodeOfReport, parseTimeout, withStreams } from './run.ts'

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
  /** In megabytes. */
  readonly memory?: number
  readonly timeout?: string
  readonly json?: boolean
}

/** `sluice backfill`: a range of a stream, window by window. */
export async function backfillCommand(
  [word]: [string],
  options: BackfillCommandOptions,
  { signal, verbose, hide }: CommandContext,
): Promise<number> {
  const limitMs = options.timeout === undefined ? Infinity : parseTimeout(options.timeout)
  const [found] = withStreams(await findPipelines([word]), options.stream === undefined ? undefined : [options.stream])
  const { pipeline, streams } = found!
  if (streams && streams.length > 1)
    throw new UsageError(`${word}: name one stream, or none for all that can be read in windows`)
  using time = deadline(signal, limitMs, 'The backfill')
  const { from, to, window, zone, concurrency, only, database, batchRows, memory, json = false } = options
  const words: BackfillOptions = {
    stream: streams?.[0],
    from,
    to,
    window,
    zone,
    only,
    signal: time.signal,
    ...(concurrency !== undefined && { concurrency }),
    ...(database !== undefined && { database }),
    ...(batchRows !== undefined && { batch: { rows: batchRows } }),
    ...(memory !== undefined && { memory: memory * 1_048_576 }),
  }
  if (options.dryRun) {
    const plans = await backfill(pipeline, { ...words, dryRun: true })
    if (json) console.log(JSON.stringify(plans))
    else for (const plan of plans) showPlan(plan)
    return 0
  }
  const mode = outputModeOf({ json })
  const failures: unknown[] = []
  const log = mode === 'events' ? eventLog(pipeline.name, process.stdout, { verbose }) : undefined
  const running = async (): Promise<Report> => {
    using progress =
      log ?? openProgress(mode as Exclude<OutputMode, 'events'>, streams ?? Object.keys(pipeline.streams))
    return await backfill(pipeline, {
      ...words,
      onEvent: progress.on,
      onStreamError: (_, error) => failures.push(error),
    })
  }
  const report = await running()
  if (log) log.report(report)
  else console.log(mode === 'json' ? JSON.stringify(report) : `\n${reportText(report)}`)
  if (mode === 'json')
    for (const [name, { error }] of Object.entries(report.streams))
      if (error !== undefined) console.error(`${pipeline.name}.${name} failed: ${error}`)
  if (verbose) for (const failure of failures) printStack(failure, hide)
  const { reason } = time.signal as { readonly reason: unknown }
  if (!(reason instanceof TimeoutError)) return exitCodeOfReport(report)
  console.error(
    `sluice: the backfill was ended by --timeout ${durationText(limitMs)}; what was whole is committed, and the same words go on from there`,
  )
  return 1
}

/** The windows that would be read; nothing was asked. */
function showPlan({ pipeline, stream, backfill, from, to, window, zone, counts, toRead, windows }: BackfillPlan): void {
  console.log(
    `${pipeline}.${stream}: ${backfill === undefined ? 'a new backfill' : `goes on with backfill ${backfill}`}, ${from} to ${to}, ${formatNumber(counts.total)} ${counts.total === 1 ? 'window' : 'windows'} of ${window}${zone === 'UTC' ? '' : ` in ${zone}`}`,
  )
  const facts = [
    counts.done > 0 && `${formatNumber(counts.done)} done`,
    counts.failed > 0 && `${formatNumber(counts.failed)} failed`,
    counts.skipped > 0 && `${formatNumber(counts.skipped)} left out`,
  ]
  console.log(
    `${formatNumber(toRead)} to read${facts
      .filter(Boolean)
      .map((fact) => `, ${String(fact)}`)
      .join('')}`,
  )
  const shown = windows
    .filter((one) => one.toRead)
    .map(({ lower, upper, status, error }) => ({
      from: lower,
      to: upper,
      hours: (Date.parse(upper) - Date.parse(lower)) / 3_600_000,
      status: status === 'open' ? '' : status,
      error: error ?? '',
    }))
  printTable(
    shown.length <= most
      ? shown
      : [
          ...shown.slice(0, most / 2),
          { from: '…', to: '…', hours: '', status: '', error: '' },
          ...shown.slice(-most / 2),
        ],
  )
  if (shown.length > most)
    console.log(`(${formatNumber(shown.length - most)} windows between them are not shown; --json has all)`)
  console.log('Nothing was asked, and nothing was written.')
}

/** Windows that people are shown. */
const most = 40
