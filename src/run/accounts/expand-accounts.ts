import { accountPipelines } from '../../define/accounts/account-pipelines.ts'
import type { AccountsPipeline, Flows, Pipeline } from '../../define/pipeline.ts'
import type { AccountData } from '../../define/accounts/parse-accounts.ts'
import { isSecretName } from '../../observe/known-secrets.ts'
import { UsageError } from '../../model/errors.ts'
import { defined } from '../../value/defined.ts'
import { messageOf } from '../../value/error.ts'
import { readAccounts, type ReadAccountsOptions } from './read-accounts.ts'

export interface ExpandOptions extends Partial<Omit<ReadAccountsOptions, 'signal'>> {
  readonly signal?: AbortSignal | undefined
  /** Only these accounts. @default all */
  readonly accounts?: readonly string[] | undefined
  /** Called with each value of an account that is a secret by its name, to hide it in output. */
  readonly register?: ((name: string, value: string) => void) | undefined
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

/** Returns several pipelines, those with accounts as one for each. A pipeline whose accounts cannot be read throws. */
export async function expandAll(
  definitions: readonly (Pipeline | AccountsPipeline)[],
  options: ExpandOptions = {},
): Promise<Expanded> {
  const expanded = await Promise.all(
    definitions.map(async (one) =>
      hasAccounts(one) ? expandAccounts(one, options) : { pipelines: [one], failed: [] },
    ),
  )
  return {
    pipelines: expanded.flatMap(({ pipelines }) => pipelines),
    failed: expanded.flatMap(({ failed }) => failed),
  }
}

/** The reading of accounts from which the pipeline of one account was made. */
export interface Expansion extends Expanded, Pick<ExpandOptions, 'accounts' | 'register'> {
  readonly definition: AccountsPipeline
}

const expansions = new WeakMap<Pipeline, Expansion>()

/** Returns how a pipeline was made, if it is one of an account. */
export const expansionOf = (pipeline: Pipeline): Expansion | undefined => expansions.get(pipeline)

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
  if (options.register) for (const [name, value] of accounts.flatMap(secretsOf)) options.register(name, value)
  const { pipelines, failed } = accountPipelines(definition, accounts, environment)
  const expanded: Expanded = {
    pipelines: pipelines.filter(({ account }) => isChosen(account?.name)),
    failed: failed
      .filter(({ account }) => isChosen(account))
      .map(({ account, error }) => new AccountError(`${name}@${account}`, error)),
  }
  const expansion = { ...expanded, definition, ...defined({ accounts: chosen, register: options.register }) }
  for (const pipeline of expanded.pipelines) expansions.set(pipeline, expansion)
  return expanded
}

/** Values that are shorter would match unrelated text. */
const MIN_LENGTH = 8

const secretsOf = ({ name, members }: AccountData): (readonly [name: string, value: string])[] =>
  [...members]
    .filter(([member, value]) => isSecretName(member) && value.length >= MIN_LENGTH)
    .map(([member, value]) => [`${member} of ${name}`, value] as const)
