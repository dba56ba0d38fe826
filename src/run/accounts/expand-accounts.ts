import { accountPipelines } from '../../define/accounts/account-pipelines.ts'
import type { AccountsPipeline, Flows, Pipeline } from '../../define/pipeline.ts'
import { UsageError } from '../../model/errors.ts'
import { messageOf } from '../../value/error.ts'
import { readAccounts, type ReadAccountsOptions } from './read-accounts.ts'

export interface ExpandOptions extends Partial<ReadAccountsOptions> {
  /** Only these accounts. @default all */
  readonly accounts?: readonly string[] | undefined
}

/** Thrown for one account that cannot run. The others do. */
export class AccountError extends UsageError {
  /** The name in the ledger, such as `shops@north`. */
  readonly pipeline: string

  constructor(pipeline: string, cause: Error) {
    const message = messageOf(cause)
    super(message.startsWith(`${pipeline}:`) ? message : `${pipeline}: ${message}`, { cause })
    this.pipeline = pipeline
  }
}

export interface Expanded {
  readonly pipelines: readonly Pipeline[]
  readonly failed: readonly AccountError[]
}

/** True for a pipeline that has several accounts. */
export const hasAccounts = <Streams extends Flows>(
  definition: Pipeline<Streams> | AccountsPipeline<Streams>,
): definition is AccountsPipeline<Streams> => typeof definition.streams === 'function'

/** Reads the accounts of a pipeline and returns a pipeline for each. */
export async function expandAccounts(definition: AccountsPipeline, options: ExpandOptions = {}): Promise<Expanded> {
  const { accounts: chosen, environment = process.env, signal = new AbortController().signal, database } = options
  const { name } = definition
  const accounts = await readAccounts(name, definition.for, { environment, signal, database })
  const unknown = chosen?.filter((account) => !accounts.some((one) => one.name === account)) ?? []
  if (unknown.length > 0)
    throw new UsageError(
      `${name} has no account ${unknown.map((account) => `'${account}'`).join(', ')}: ` +
        `it has ${accounts.map((one) => one.name).join(', ')}`,
    )
  const isChosen = (account: string | undefined): boolean =>
    chosen === undefined || (account !== undefined && chosen.includes(account))
  const { pipelines, failed } = accountPipelines(definition, accounts, environment)
  return {
    pipelines: pipelines.filter(({ account }) => isChosen(account?.name)),
    failed: failed
      .filter(({ account }) => isChosen(account))
      .map(({ account, error }) => new AccountError(`${name}@${account}`, error)),
  }
}
