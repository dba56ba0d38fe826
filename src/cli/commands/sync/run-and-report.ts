import type { RunEvent } from '../../../model/event.ts'
import type { Report } from '../../../model/report.ts'
import { problemText } from '../../../run/report/problem-text.ts'
import { reportText } from '../../../run/report/report-text.ts'
import type { CommandContext } from '../../execute-command.ts'
import { printStack } from '../../output/print-error.ts'
import { terminalWidth } from '../../output/terminal-width.ts'
import { eventLog } from '../../progress/event-log.ts'
import { openProgress, type OutputMode } from '../../progress/open-progress.ts'

/** Passed to `run`, `backfill` and `replay`. */
export interface RunHooks {
  readonly onEvent: (event: RunEvent) => void
  readonly onStreamError: (stream: string, error: unknown) => void
}

export interface RunAndReportOptions {
  readonly pipeline: string
  /** The streams to show while they run. */
  readonly streams: readonly string[]
  readonly mode: OutputMode
  /** Prints the report at the end of a run. @default as the mode says */
  readonly print?: (report: Report) => void
}

/** Runs with the progress of its streams on stdout, then prints the report. Without a report nothing is printed. */
export async function runAndReport<R extends Report | undefined>(
  run: (hooks: RunHooks) => Promise<R>,
  { pipeline, streams, mode, print }: RunAndReportOptions,
  { verbose, hide }: Pick<CommandContext, 'verbose' | 'hide'>,
): Promise<R> {
  const errors: unknown[] = []
  const log = mode === 'events' ? eventLog(pipeline, process.stdout, { verbose }) : undefined
  const running = async (): Promise<R> => {
    using progress = log ?? (await openProgress(mode, streams, { prefix: `${pipeline}.`, verbose }))
    return await run({ onEvent: progress.on, onStreamError: (_, error) => errors.push(error) })
  }
  const report = await running().catch((error: unknown) => {
    // Without a report, nothing else would tell them.
    for (const one of errors) if (one !== error) console.error(hide(problemText(one, pipeline)))
    throw error
  })
  if (!report) return report
  if (print) print(report)
  else if (log) log.report(report)
  else if (mode === 'json') printJsonReport(report)
  else console.log(`\n${reportText(report, { width: terminalWidth() })}`)
  if (verbose) for (const error of errors) printStack(error, hide)
  return report
}

/** Prints the report on stdout, and the errors of streams on stderr too. */
function printJsonReport(report: Report): void {
  console.log(JSON.stringify(report))
  for (const [name, { error }] of Object.entries(report.streams))
    if (error !== undefined) console.error(`${report.pipeline}.${name} failed: ${error}`)
}

const EXIT_CODES = { done: 0, failed: 1, interrupted: 130 } as const

export const exitCodeOfReport = ({ status }: Report): number => EXIT_CODES[status]
