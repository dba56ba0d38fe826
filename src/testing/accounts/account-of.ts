import type { Account } from '../../define/accounts/account.ts'
import { accountPipelines, accountPrefix } from '../../define/accounts/account-pipelines.ts'
import { provenAccounts } from '../../define/accounts/parse-accounts.ts'
import { variablePart } from '../../define/accounts/variable-name.ts'
import type { AccountsPipeline, Flows, Pipeline } from '../../define/pipeline.ts'
import { UsageError } from '../../model/errors.ts'
import { rejectUnknownOptions } from '../../model/unknown-option.ts'
import { hasAccounts } from '../../run/accounts/expand-accounts.ts'
import { replaysOf, type Answers } from '../answers/answer-source.ts'
import type { TestVariables } from '../answers/test-environment.ts'

/** Options of `accountOf()`. */
export interface AccountOfOptions {
  /** The name of the account. @default that of the recording */
  readonly account?: string
  /** Answers that were recorded for the account: its values stand there. @default none */
  readonly from?: Answers
  /** Values of the account by their variables, such as `SHOPS_NORTH_URL`. @default those of the recording */
  readonly secrets?: TestVariables
}

const OPTIONS: readonly (keyof AccountOfOptions)[] = ['account', 'from', 'secrets']

/**
 * Returns the pipeline of one account for a test, whose streams `expectStream()` reads. Neither the accounts nor their
 * secrets are read: values that `account.value()` returns stand in the recording, or in `secrets`.
 *
 * @throws UsageError if the account was not recorded, or a value of it is missing
 *
 * @example
 * const from = replay('test/north.json')
 * await expectStream(accountOf(shops, { from }).streams.orders, { from }).toYieldCount(50)
 */
export function accountOf<Streams extends Flows>(
  pipeline: AccountsPipeline<Streams>,
  options: AccountOfOptions = {},
): Pipeline<Streams> {
  rejectUnknownOptions('accountOf()', options, OPTIONS)
  return accountFor('accountOf()', pipeline, options)
}

/** As `accountOf()`, for the word that errors name. A pipeline without accounts is returned as it is. */
export function accountFor<Streams extends Flows>(
  word: string,
  pipeline: Pipeline<Streams> | AccountsPipeline<Streams>,
  { account, from, secrets = {} }: AccountOfOptions,
): Pipeline<Streams> {
  if (!hasAccounts(pipeline)) {
    refuseAccount(word, pipeline, account)
    return withTestVariables(pipeline)
  }
  const recorded = replaysOf(from).flatMap((one) => one.account ?? [])
  const name = chosenName(word, pipeline.name, account, [...new Set(recorded.map((one) => one.name))])
  const values = recorded.filter((one) => one.name === name).flatMap((one) => Object.entries(one.values))
  const variables: TestVariables = { ...Object.fromEntries(values), ...secrets }
  const accounts = provenAccounts([name], word)
  const given = withAccountsAs(pipeline, (one) => testAccount(one, { word, pipeline, variables }))
  const [found] = accountPipelines(given, accounts, variables).pipelines
  if (!found) throw new UsageError(`${word}: ${pipeline.name} has no account '${name}'`)
  return withTestVariables(found) as Pipeline<Streams>
}

/** Returns the definition with accounts that are changed before its function gets them. */
export const withAccountsAs = <Streams extends Flows>(
  pipeline: AccountsPipeline<Streams>,
  change: (account: Account) => Account,
): AccountsPipeline<Streams> => ({ ...pipeline, streams: (account) => pipeline.streams(change(account)) })

/** Throws if an account is chosen of a pipeline that has none. */
export function refuseAccount(word: string, { name, account }: Pipeline, given: string | undefined): void {
  if (given === undefined || given === account?.name) return
  const what = account ? `is the pipeline of the account ${account.name}` : 'has no accounts'
  throw new UsageError(`${word}: ${name} ${what}. Leave out the option account`)
}

function chosenName(word: string, pipeline: string, given: string | undefined, recorded: readonly string[]): string {
  const [only, other] = recorded
  const name = given ?? (other === undefined ? only : undefined)
  if (name === undefined)
    throw new UsageError(
      `${word}: ${pipeline} has several accounts. Choose one by the option account` +
        (recorded.length > 0 ? `: ${recorded.join(', ')}` : `, as in account: 'north'`),
    )
  if (recorded.length > 0 && !recorded.includes(name))
    throw new UsageError(
      `${word}: the account '${name}' of ${pipeline} was not recorded: there are answers for ${recorded.join(', ')}`,
    )
  return name
}

interface TestAccountOptions {
  readonly word: string
  readonly pipeline: AccountsPipeline
  readonly variables: TestVariables
}

/** Returns an account that names what a test can do where a value is missing. */
function testAccount(account: Account, { word, pipeline, variables }: TestAccountOptions): Account {
  return {
    ...account,
    value: (field, otherwise) => {
      const variable = accountPrefix(pipeline, account.name) + variablePart(field)
      if (variables[variable] === undefined && otherwise === undefined)
        throw new UsageError(
          `${word}: ${pipeline.name} needs the value ${field} of the account ${account.name}. ` +
            `Give it, as in secrets: { ${variable}: '…' }, or record the answers again`,
        )
      return account.value(field, otherwise)
    },
  }
}

/** A test reads no real secrets, also where the pipeline was made with those of its account. */
const withTestVariables = <Streams extends Flows>(pipeline: Pipeline<Streams>): Pipeline<Streams> =>
  pipeline.account ? { ...pipeline, account: { ...pipeline.account, environment: (all) => all } } : pipeline
