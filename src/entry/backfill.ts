import type { AccountsPipeline, Flows, Pipeline } from '../define/pipeline.ts'
import { rejectRenamedWords } from '../define/renamed-words.ts'
import type { AccountsReport, Report } from '../model/report.ts'
import type { BackfillAccountsOptions as AccountsEngineOptions } from '../run/accounts/run-accounts.ts'
import { rejectUnknownOptions, type OptionNames } from '../model/unknown-option.ts'
import type { BackfillPlan } from '../run/backfill/backfill-plan.ts'
import type { BackfillOptions as EngineOptions } from '../run/options.ts'
import { BATCH_OPTIONS } from './run.ts'
import { throwIfAccountsFailed, throwIfFailed } from './run-failed-error.ts'

/** Options of `backfill()`. */
export interface BackfillOptions extends EngineOptions {
  /** Throw a `RunFailedError` if a stream failed. With `false`, read `report.status` instead. @default true */
  readonly throwOnFailure?: boolean
  /** Return the windows that would be read. Nothing is requested and nothing is written. @default false */
  readonly dryRun?: boolean
}

/** Options of a backfill of a pipeline that has several accounts. */
export type BackfillAccountsOptions = AccountsEngineOptions &
  Pick<BackfillOptions, 'dryRun'> & {
    /** Throw an `AccountsFailedError` if an account failed. With `false`, read `report.status`. @default true */
    readonly throwOnFailure?: boolean
  }

/**
 * Reads a range of a stream window by window, several windows at once. The cursor of the stream does not change. A call
 * with the same stream, range, window and zone resumes the backfill; other options start a new one. A window that fails
 * does not stop the others.
 *
 * A pipeline of several accounts returns the report of each. One that fails does not stop the others.
 *
 * Aborting `signal` ends it within 5 s, after complete batches are committed.
 *
 * @example
 * const report = await backfill(billing, { stream: 'invoices', from: '2024-01-01', to: '2025-01-01', window: '1d' })
 * console.log(report.streams.invoices.backfill?.windows)
 */
export async function backfill<Streams extends Flows>(
  pipeline: AccountsPipeline<Streams>,
  options: BackfillAccountsOptions & { readonly dryRun?: false },
): Promise<AccountsReport<keyof Streams & string>>
export async function backfill<Streams extends Flows>(
  pipeline: AccountsPipeline<Streams>,
  options: BackfillAccountsOptions & { readonly dryRun: true },
): Promise<BackfillPlan[]>
export async function backfill<Streams extends Flows>(
  pipeline: Pipeline<Streams>,
  options: BackfillOptions & { readonly dryRun: true },
): Promise<BackfillPlan[]>
export async function backfill<Streams extends Flows>(
  pipeline: Pipeline<Streams>,
  options: BackfillOptions & { readonly dryRun?: false },
): Promise<Report<keyof Streams & string>>
export async function backfill(
  pipeline: Pipeline | AccountsPipeline,
  options: BackfillOptions | BackfillAccountsOptions,
): Promise<Report | AccountsReport | BackfillPlan[]> {
  rejectRenamedWords('backfill()', options, { on: 'onEvent', failed: 'onStreamError' })
  rejectUnknownOptions('backfill()', options, typeof pipeline.streams === 'function' ? ACCOUNTS_OPTIONS : OPTIONS)
  rejectUnknownOptions('backfill(): batch', options.batch, BATCH_OPTIONS)
  if (typeof pipeline.streams === 'function') return backfillOfAccounts(pipeline as AccountsPipeline, options)
  const { throwOnFailure = true, dryRun = false, ...engineOptions } = options as BackfillOptions
  if (dryRun) {
    const { dryRunBackfill } = await import('../run/backfill/dry-run.ts')
    return dryRunBackfill(pipeline as Pipeline, engineOptions)
  }
  const { backfillPipeline } = await import('../run/backfill/backfill-pipeline.ts')
  const report = await backfillPipeline(pipeline as Pipeline, engineOptions)
  if (throwOnFailure) throwIfFailed(report)
  return report
}

async function backfillOfAccounts(
  pipeline: AccountsPipeline,
  { throwOnFailure = true, dryRun = false, ...options }: BackfillAccountsOptions,
): Promise<AccountsReport | BackfillPlan[]> {
  const { backfillAccounts, dryRunAccounts } = await import('../run/accounts/run-accounts.ts')
  if (dryRun) return dryRunAccounts(pipeline, options)
  const reports = await backfillAccounts(pipeline, options)
  if (throwOnFailure) throwIfAccountsFailed(reports)
  return reports
}

const OPTIONS: OptionNames<BackfillOptions> = {
  stream: true,
  from: true,
  to: true,
  window: true,
  zone: true,
  concurrency: true,
  only: true,
  onlyWindows: true,
  mostDeletes: true,
  database: true,
  batch: true,
  memory: true,
  environment: true,
  onEvent: true,
  onStreamError: true,
  signal: true,
  throwOnFailure: true,
  dryRun: true,
}
const ACCOUNTS_OPTIONS: OptionNames<BackfillAccountsOptions> = { ...OPTIONS, accounts: true, accountsAtOnce: true }
