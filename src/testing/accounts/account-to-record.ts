import { accountPipelines, accountPrefix } from '../../define/accounts/account-pipelines.ts'
import { variablePart } from '../../define/accounts/variable-name.ts'
import type { AccountsPipeline, Pipeline } from '../../define/pipeline.ts'
import { UsageError } from '../../model/errors.ts'
import { isSecretName } from '../../observe/known-secrets.ts'
import { environmentOf } from '../../run/accounts/environment-of.ts'
import { readAccounts } from '../../run/accounts/read-accounts.ts'
import { withAccountsAs } from './account-of.ts'

/** The account whose answers are recorded. */
export interface AccountToRecord {
  readonly name: string
  /** The pipeline of the account. */
  readonly pipeline: Pipeline
  /** Variables with the secrets of the account. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** What `account.value()` has returned, by the names of the variables. A replay needs it. */
  readonly values: Readonly<Record<string, string>>
  /** Values of the account that are secrets by their names, by the names of their variables. */
  readonly secrets: readonly (readonly [name: string, value: string])[]
}

interface ChooseOptions {
  readonly account: string | undefined
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly signal: AbortSignal
}

/** Shorter values would match unrelated text. */
const MIN_LENGTH = 4

/** Reads the accounts of a pipeline, and returns the chosen one. Throws if none is chosen; the error names them. */
export async function accountToRecord(
  definition: AccountsPipeline,
  { account: chosen, environment, signal }: ChooseOptions,
): Promise<AccountToRecord> {
  const { name } = definition
  const accounts = await readAccounts(name, definition.for, { environment, signal })
  const names = accounts.map((one) => one.name).join(', ')
  if (chosen === undefined)
    throw new UsageError(`record(): ${name} has several accounts. Choose one by the option account: ${names}`)
  if (!accounts.some((one) => one.name === chosen))
    throw new UsageError(`record(): ${name} has no account '${chosen}': it has ${names}`)
  const prefix = accountPrefix(definition, chosen)
  const values: Record<string, string> = {}
  const watched = withAccountsAs(definition, (account) => ({
    ...account,
    value: (field, otherwise) => {
      const value = account.value(field, otherwise)
      if (account.name === chosen) values[prefix + variablePart(field)] = value
      return value
    },
  }))
  const { pipelines, failed } = accountPipelines(watched, accounts, environment)
  const pipeline = pipelines.find(({ account }) => account?.name === chosen)
  if (!pipeline)
    throw failed.find(({ account }) => account === chosen)?.error ?? new UsageError(`record(): ${name}@${chosen}`)
  const known = { ...pipeline.account?.environment({}), ...values }
  return {
    name: chosen,
    pipeline,
    environment: environmentOf(pipeline, environment),
    values,
    secrets: Object.entries(known).filter(
      (entry): entry is [string, string] =>
        entry[1] !== undefined && entry[1].length >= MIN_LENGTH && isSecretName(entry[0].slice(prefix.length)),
    ),
  }
}
