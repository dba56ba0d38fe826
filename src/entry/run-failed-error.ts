import { SluiceError } from '../model/errors.ts'
import type { AccountsReport, Report } from '../model/report.ts'
import { defineErrorName } from '../value/error.ts'
import { formatCount } from '../value/format.ts'

/**
 * At least one stream of a run failed. `report` says what every stream did.
 *
 * @example
 * try {
 *   await run(billing)
 * } catch (error) {
 *   if (error instanceof RunFailedError) console.error(reportText(error.report))
 *   throw error
 * }
 */
export class RunFailedError extends SluiceError {
  override readonly code = 'RUN_FAILED'
  readonly report: Report

  constructor(report: Report) {
    super(messageOf(report))
    this.report = report
  }
  static {
    defineErrorName(this)
  }
}

export function throwIfFailed(report: Report): void {
  if (report.status === 'failed') throw new RunFailedError(report)
}

function messageOf({ pipeline, streams }: Report): string {
  const failed = Object.entries(streams).filter(([, { status }]) => status === 'failed')
  const lines = failed.map(([name, { error = 'no reason is known' }]) => `\n  ${name}: ${error}`)
  const all = formatCount(Object.keys(streams).length, 'stream')
  return `${pipeline}: ${failed.length} of ${all} failed${lines.join('')}`
}

/**
 * At least one account of a pipeline failed, or could not start. `report` says what every account did.
 *
 * @example
 * try {
 *   await run(shops)
 * } catch (error) {
 *   if (error instanceof AccountsFailedError) console.error(Object.keys(error.report.notStarted))
 *   throw error
 * }
 */
export class AccountsFailedError extends SluiceError {
  override readonly code = 'RUN_FAILED'
  readonly report: AccountsReport

  constructor(report: AccountsReport) {
    super(messageOfAccounts(report))
    this.report = report
  }
  static {
    defineErrorName(this)
  }
}

export function throwIfAccountsFailed(report: AccountsReport): void {
  if (report.status === 'failed') throw new AccountsFailedError(report)
}

function messageOfAccounts({ pipeline, accounts, notStarted }: AccountsReport): string {
  const failed = Object.values(accounts).filter(({ status }) => status === 'failed')
  const missing = Object.values(notStarted)
  const all = formatCount(Object.keys(accounts).length + missing.length, 'account')
  const lines = [...failed.map(messageOf), ...missing]
  return `${pipeline}: ${lines.length} of ${all} failed${lines.map((line) => `\n${line}`).join('')}`
}
