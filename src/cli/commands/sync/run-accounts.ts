import type { Pipeline } from '../../../define/pipeline.ts'
import { PausedError } from '../../../model/errors.ts'
import type { Report } from '../../../model/report.ts'
import type { RunEvent } from '../../../model/event.ts'
import { withoutAccount } from '../../../model/account.ts'
import { inTurn } from '../../../run/accounts/in-turn.ts'
import { AccountError } from '../../../run/accounts/expand-accounts.ts'
import { tryPipelines, type FoundPipeline } from '../../../run/find-pipelines.ts'
import { mergeReports, notStartedReport, pausedReport } from '../../../run/report/merge-reports.ts'
import { problemText } from '../../../run/report/problem-text.ts'
import { reportText } from '../../../run/report/report-text.ts'
import type { CommandContext } from '../../execute-command.ts'
import { exitCodeOf, printError, printStack } from '../../output/print-error.ts'
import type { SummaryFile } from '../../output/summary-file.ts'
import { accountsOf, type AccountOptions } from '../stream-names.ts'
import { terminalWidth } from '../../output/terminal-width.ts'
import { openProgress, type OutputMode } from '../../progress/open-progress.ts'
import type { Progress } from '../../progress/progress-tracker.ts'
import { exitCodeOfReport, type RunHooks } from './run-and-report.ts'

/**
 * Returns the pipelines that words name, and the accounts that cannot run. Throws for any other error, before anything
 * runs.
 */
export async function findAccounts(
  words: readonly string[],
  options: AccountOptions,
  context: CommandContext,
): Promise<{ readonly found: FoundPipeline[]; readonly failed: readonly AccountError[] }> {
  const { found, failed } = await tryPipelines(words, accountsOf(options, context))
  const ofAccounts = failed.filter((error) => error instanceof AccountError)
  const fatal = failed.find((error) => !(error instanceof AccountError))
  if (fatal) throw fatal
  return { found, failed: ofAccounts }
}

/** Prints the error of an account that cannot run, and returns the exit code. The other accounts run. */
export function notStarted(
  error: AccountError,
  { json = false, summary }: { readonly json?: boolean; readonly summary?: SummaryFile },
  context: CommandContext,
): number {
  const { pipeline } = error
  summary?.error(error, pipeline)
  if (json)
    console.log(
      JSON.stringify({
        pipeline,
        account: pipeline.split('@')[1],
        status: 'failed',
        error: context.hide(error.message),
      }),
    )
  printError(error, context)
  return 1
}

export interface RunAccountsOptions {
  readonly accountsAtOnce?: number | undefined
  /** Bytes for all accounts together. */
  readonly memory?: number | undefined
  readonly mode: OutputMode
  readonly kind: Report['kind']
  /** True: what is paused is no failure even if all accounts are. @default false */
  readonly leavesPausedOut?: boolean
  /** Runs one account by itself, with its own output, and returns the exit code. Throws a `PausedError` for a pause. */
  readonly alone: (account: FoundPipeline, options: { readonly memory: number }) => Promise<number>
  /** Runs one account. */
  readonly run: (account: FoundPipeline, options: RunHooks & { readonly memory: number }) => Promise<Report>
}

/**
 * Runs the accounts of one pipeline, a few at a time. An account that fails does not stop the others; the exit code
 * says that one failed. They share one display and one report; as JSON, each prints its own. An account that is paused
 * is not run, which is no failure of the others; a command whose accounts are all paused did not do what it was told.
 */
export async function runAccounts(
  accounts: readonly FoundPipeline[],
  { mode, kind, alone, run, leavesPausedOut = false, ...limits }: RunAccountsOptions,
  context: CommandContext,
): Promise<number> {
  const { signal, verbose, hide } = context
  const options = { ...limits, signal }
  let paused = 0
  const pausedCode = (): number => (paused === accounts.length && !leavesPausedOut ? 1 : 0)
  if (mode === 'json' || mode === 'events') {
    const codes = await inTurn(accounts, options, (account, share) =>
      alone(account, share).catch((error: unknown) => {
        if (!(error instanceof PausedError)) throw error
        paused += 1
        printPaused(account.pipeline, error, mode)
        return 0
      }),
    )
    return worst([...codes.map((code) => code ?? INTERRUPTED), pausedCode()])
  }
  const name = withoutAccount(accounts[0]?.pipeline.name ?? '')
  const errors: unknown[] = []
  const running = async (): Promise<(Ended | undefined)[]> => {
    using progress = await openProgress(mode, accounts.flatMap(namesOf), { prefix: `${name}@`, verbose })
    return await inTurn(accounts, options, async (account, { memory }) => {
      const onEvent = eventsOf(account, progress)
      try {
        const report = await run(account, { memory, onEvent, onStreamError: (_, error) => errors.push(error) })
        return { report, code: exitCodeOfReport(report) }
      } catch (error) {
        if (error instanceof PausedError) {
          paused += 1
          return { report: pausedReport(account.pipeline, { kind, warning: error.message }), code: 0 }
        }
        errors.push(error)
        const text = hide(problemText(error, account.pipeline.name))
        return { report: notStartedReport(account.pipeline, { kind, error: text }), code: exitCodeOf(error) }
      }
    })
  }
  const ended = await running()
  const reports = ended.flatMap((one) => one?.report ?? [])
  const report = mergeReports(name, reports)
  if (report) console.log(`\n${reportText(report, { width: terminalWidth() })}`)
  if (verbose) for (const error of errors) printStack(error, hide)
  return worst([...ended.map((one) => one?.code ?? INTERRUPTED), pausedCode()])
}

/** Prints that a pipeline was not run because it is paused. */
export function printPaused({ name, account }: Pipeline, { message }: PausedError, mode: OutputMode): void {
  const isJson = mode === 'json' || mode === 'events'
  const facts = { pipeline: name, ...(account && { account: account.name }), status: 'not run', paused: message }
  console.log(isJson ? JSON.stringify(facts) : `${name}: not run: ${message}`)
}

/** What has become of an account. */
interface Ended {
  readonly report: Report
  readonly code: number
}

/** The exit code of an account whose turn did not come. */
const INTERRUPTED = 130

/** The exit codes 130 (interrupted), 2, 1 and 0 are in the order of their weight. */
const worst = (codes: readonly number[]): number => Math.max(0, ...codes)

const namesOf = ({ pipeline, streams }: FoundPipeline): string[] =>
  Object.keys(pipeline.streams)
    .filter((name) => !streams || streams.includes(name))
    .map((name) => `${pipeline.account?.name ?? ''}.${name}`)

/** Returns a function that shows the events of an account with its name. */
function eventsOf({ pipeline }: FoundPipeline, progress: Progress): (event: RunEvent) => void {
  return (event) => {
    // The display would leave out the streams of the other accounts.
    if (event.type === 'run.started') return
    const isOfStream = 'stream' in event && event.stream !== undefined
    progress.on(isOfStream ? { ...event, stream: `${pipeline.account?.name ?? ''}.${event.stream}` } : event)
  }
}
