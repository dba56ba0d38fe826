import type { AccountsPipeline, Flows, Pipeline } from '../../define/pipeline.ts'
import { toError } from '../../value/error.ts'
import type { RunEvent } from '../../model/event.ts'
import { PausedError } from '../../model/errors.ts'
import type { AccountsReport, Report } from '../../model/report.ts'
import { keepDatabase } from '../open-store.ts'
import { problemText } from '../report/problem-text.ts'
import { backfillPipeline } from '../backfill/backfill-pipeline.ts'
import type { BackfillPlan } from '../backfill/backfill-plan.ts'
import { dryRunBackfill } from '../backfill/dry-run.ts'
import type { BackfillOptions, RunOptions } from '../options.ts'
import { runPipeline } from '../run-pipeline.ts'
import { AccountError, expandAccounts } from './expand-accounts.ts'
import { environmentOf } from './environment-of.ts'
import { inTurn } from './in-turn.ts'
import { readSecrets } from '../../observe/secrets.ts'

/** Which accounts run, and what is told of them. */
export interface AccountsOptions {
  /** Only these accounts. @default all */
  readonly accounts?: readonly string[] | undefined
  /** Accounts that run at the same time. @default the `concurrency` of `accounts()` */
  readonly accountsAtOnce?: number | undefined
  /** Called with every event of the runs, and the account. It must not throw. */
  readonly onEvent?: (event: RunEvent, account: string) => void
  /** Called with the error of each stream that fails, and the account. */
  readonly onStreamError?: (stream: string, error: unknown, account: string) => void
}
type Hooks = 'onEvent' | 'onStreamError'
export type RunAccountsOptions = Omit<RunOptions, Hooks> & AccountsOptions
export type BackfillAccountsOptions = Omit<BackfillOptions, Hooks> & AccountsOptions

/** Runs the accounts of a pipeline, a few at a time. An account that fails does not stop the others. */
export async function runAccounts<Streams extends Flows>(
  definition: AccountsPipeline<Streams>,
  options: RunAccountsOptions = {},
): Promise<AccountsReport<keyof Streams & string>> {
  return eachAccount(definition, options, (pipeline, more) => runPipeline(pipeline, { ...options, ...more }))
}

/** Reads a range of each account of a pipeline, a few accounts at a time. */
export async function backfillAccounts<Streams extends Flows>(
  definition: AccountsPipeline<Streams>,
  options: BackfillAccountsOptions,
): Promise<AccountsReport<keyof Streams & string>> {
  return eachAccount(definition, options, (pipeline, more) => backfillPipeline(pipeline, { ...options, ...more }))
}

/** Returns what a backfill of each account would read. Throws for an account that could not start. */
export async function dryRunAccounts(
  definition: AccountsPipeline,
  options: BackfillAccountsOptions,
): Promise<BackfillPlan[]> {
  const { accounts, environment, database, signal } = options
  const { pipelines, failed } = await expandAccounts(definition, {
    accounts,
    database,
    signal,
    ...(environment && { environment }),
  })
  if (failed[0]) throw failed[0]
  const { onEvent: _, onStreamError: __, ...range } = options
  return (await Promise.all(pipelines.map((pipeline) => dryRunBackfill(pipeline, range)))).flat()
}

type MoreOptions = Required<Pick<RunOptions, Hooks | 'memory'>>

async function eachAccount(
  definition: AccountsPipeline,
  options: AccountsOptions & Pick<RunOptions, 'environment' | 'database' | 'memory' | 'signal'>,
  start: (pipeline: Pipeline, more: MoreOptions) => Promise<Report>,
): Promise<AccountsReport> {
  const { accounts, accountsAtOnce, onEvent, onStreamError } = options
  const { environment, database, memory, signal } = options
  const { pipelines, failed } = await expandAccounts(definition, {
    accounts,
    database,
    signal,
    ...(environment && { environment }),
  })
  const found = pipelines.map((pipeline) => ({ pipeline }))
  // Several runs at once would each start the embedded database.
  await using _kept = await keepDatabase({
    database,
    ...(environment && { environment }),
    signal: signal ?? new AbortController().signal,
  })
  const ended = await inTurn(found, { accountsAtOnce, memory, signal }, async ({ pipeline }, share) => {
    const account = pipeline.account?.name ?? ''
    try {
      return await start(pipeline, {
        ...share,
        onEvent: (event) => onEvent?.(event, account),
        onStreamError: (stream, error) => onStreamError?.(stream, error, account),
      })
    } catch (error) {
      if (error instanceof PausedError) return error
      const text = readSecrets(environmentOf(pipeline, environment)).hide(problemText(error, pipeline.name))
      return new AccountError(pipeline.name, toError(new Error(text, { cause: error })))
    }
  })
  const reports = ended.filter((one): one is Report => one !== undefined && !(one instanceof Error))
  const paused = ended.filter((one) => one instanceof PausedError)
  if (paused.length > 0 && paused.length === ended.length && failed.length === 0)
    throw new PausedError([...new Set(paused.map(({ message }) => message))].join('; '))
  const errors = [...failed, ...ended.filter((one) => one instanceof AccountError)]
  let status: Report['status'] = 'done'
  if (errors.length > 0 || reports.some((report) => report.status === 'failed')) status = 'failed'
  if (ended.includes(undefined) || reports.some((report) => report.status === 'interrupted')) status = 'interrupted'
  return {
    pipeline: definition.name,
    status,
    accounts: Object.fromEntries(reports.map((report) => [report.account ?? '', report])),
    ...(paused.length > 0 && {
      paused: Object.fromEntries(
        found.flatMap(({ pipeline: { account } }, index) => {
          const one = ended[index]
          return account && one instanceof PausedError ? [[account.name, one.message]] : []
        }),
      ),
    }),
    notStarted: Object.fromEntries(errors.map(({ pipeline, message }) => [pipeline.split('@', 2)[1] ?? '', message])),
  }
}
