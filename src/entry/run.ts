// Each function of this folder loads its engine when it is called, so a pipeline file loads only the words.
import type { AccountsPipeline, Flows, Pipeline } from '../define/pipeline.ts'
import { rejectRenamedWords } from '../define/renamed-words.ts'
import type { AccountsReport, Report } from '../model/report.ts'
import { rejectUnknownOptions, type OptionNames } from '../model/unknown-option.ts'
import type { RunAccountsOptions as AccountsEngineOptions } from '../run/accounts/run-accounts.ts'
import type { BatchLimits, RunOptions as EngineOptions } from '../run/options.ts'
import { throwIfAccountsFailed, throwIfFailed } from './run-failed-error.ts'

/** Options of `run()`. */
export interface RunOptions extends EngineOptions {
  /** Throw a `RunFailedError` if a stream failed. With `false`, read `report.status` instead. @default true */
  readonly throwOnFailure?: boolean
}

/** Options of a run of a pipeline that has several accounts. */
export interface RunAccountsOptions extends AccountsEngineOptions {
  /** Throw an `AccountsFailedError` if an account failed. With `false`, read `report.status` instead. @default true */
  readonly throwOnFailure?: boolean
}

/**
 * Brings the tables of a pipeline up to date and returns a report. A stream that fails does not stop the others: after
 * they have ended, a `RunFailedError` with the report is thrown.
 *
 * A pipeline of several accounts returns the report of each. One that fails does not stop the others.
 *
 * Aborting `signal` ends the run within 5 s. Complete batches are committed first, and the next run resumes after them.
 *
 * @example
 * const report = await run(billing, { database: 'postgres://localhost/warehouse' })
 * console.log(report.streams.customers.counts.inserted)
 */
export async function run<Streams extends Flows>(
  pipeline: AccountsPipeline<Streams>,
  options?: RunAccountsOptions,
): Promise<AccountsReport<keyof Streams & string>>
export async function run<Streams extends Flows>(
  pipeline: Pipeline<Streams>,
  options?: RunOptions,
): Promise<Report<keyof Streams & string>>
export async function run(
  pipeline: Pipeline | AccountsPipeline,
  options: RunOptions | RunAccountsOptions = {},
): Promise<Report | AccountsReport> {
  rejectRenamedWords('run()', options, { on: 'onEvent', failed: 'onStreamError' })
  rejectUnknownOptions('run()', options, typeof pipeline.streams === 'function' ? ACCOUNTS_OPTIONS : OPTIONS)
  rejectUnknownOptions('run(): batch', options.batch, BATCH_OPTIONS)
  const { throwOnFailure = true, ...engineOptions } = options
  if (typeof pipeline.streams === 'function') {
    const { runAccounts } = await import('../run/accounts/run-accounts.ts')
    const reports = await runAccounts(pipeline as AccountsPipeline, engineOptions)
    if (throwOnFailure) throwIfAccountsFailed(reports)
    return reports
  }
  const { runPipeline } = await import('../run/run-pipeline.ts')
  const report = await runPipeline(pipeline as Pipeline, engineOptions as EngineOptions)
  if (throwOnFailure) throwIfFailed(report)
  return report
}

export const BATCH_OPTIONS: OptionNames<BatchLimits> = { rows: true, bytes: true, every: true }
const OPTIONS: OptionNames<RunOptions> = {
  database: true,
  streams: true,
  full: true,
  overlap: true,
  mostDeletes: true,
  receipt: true,
  batch: true,
  concurrency: true,
  memory: true,
  environment: true,
  onEvent: true,
  onStreamError: true,
  signal: true,
  throwOnFailure: true,
}
const ACCOUNTS_OPTIONS: OptionNames<RunAccountsOptions> = { ...OPTIONS, accounts: true, accountsAtOnce: true }
