import { UsageError } from '../../model/errors.ts'
import type { AccountOf } from '../../model/account.ts'
import type { Secret } from '../../model/request.ts'
import type { AccountData } from './parse-accounts.ts'
import { variablePart } from './variable-name.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** One account of an API, as the function `streams` of a pipeline gets it. */
export interface Account {
  readonly name: string
  /**
   * Names a secret of the account: `account.secret('TOKEN')` of the account north is SHOPS_NORTH_TOKEN, or the member
   * `token` of its JSON.
   */
  readonly secret: (name: string) => Secret
  /**
   * Returns a value of the account that is no secret, such as its base URL, by the same names. @default throws if it
   * is not set
   */
  readonly value: (name: string, otherwise?: string) => string
}

/** The account of a pipeline that runs for one. */
export interface PipelineAccount extends AccountOf {
  /** The column of the account in the tables. */
  readonly column: string
  /** Accounts of the pipeline that run at the same time. */
  readonly concurrency: number
  /** Returns the environment with the values of the account, by the names of their variables. */
  readonly environment: (environment: Environment) => Environment
}

export interface OpenAccountOptions extends AccountOf {
  readonly column: string
  readonly concurrency: number
  readonly environment: Environment
  /** Variables that accounts of the pipeline use, with the account that uses each. */
  readonly used: Map<string, string>
}

/** Returns an account for the function of a pipeline, and what a run needs of it. */
export function openAccount(
  { name, members }: AccountData,
  { pipeline, prefix, column, concurrency, environment, used }: Omit<OpenAccountOptions, 'name'>,
): { readonly account: Account; readonly own: PipelineAccount } {
  const place = `${pipeline}@${name}`
  const variables = Object.fromEntries([...members].map(([part, value]) => [prefix + part, value]))
  const variableOf = (word: string, field: unknown): string => {
    if (typeof field !== 'string' || !/^[A-Za-z][\w-]*$/.test(field))
      throw new UsageError(`${place}: account.${word}() takes a name of letters, digits, '-' and '_', such as 'TOKEN'`)
    const variable = prefix + variablePart(field)
    const other = used.get(variable)
    // north with EAST_TOKEN, and north-east with TOKEN: one of them would get the credentials of the other.
    if (other !== undefined && other !== name)
      throw new UsageError(`${place}: the accounts ${other} and ${name} would both use ${variable}. Rename one of them`)
    used.set(variable, name)
    const inBoth = variables[variable] !== undefined && isSet(environment, variable)
    if (inBoth)
      throw new UsageError(
        `${place}: ${field} stands with the account and in ${isSet(environment, variable)}. Keep one of them`,
      )
    return variable
  }
  const account: Account = {
    name,
    secret: (field) => Object.freeze({ secret: variableOf('secret', field) }),
    value: (field, otherwise) => {
      const variable = variableOf('value', field)
      const value = variables[variable] ?? environment[variable] ?? otherwise
      if (value !== undefined && value !== '') return value
      throw new UsageError(
        `${place}: ${variable} ${value === '' ? 'is empty' : 'is not set'}. Set it in the environment, or give the ` +
          `account a member ${field}`,
      )
    },
  }
  const own: PipelineAccount = {
    pipeline,
    name,
    prefix,
    column,
    concurrency,
    // A function, so that no secret is printed with the pipeline.
    environment: (all) => ({ ...all, ...variables }),
  }
  return { account: Object.freeze(account), own: Object.freeze(own) }
}

/** Returns the variable that holds a value, or its file; undefined if neither is set. */
const isSet = (environment: Environment, variable: string): string | undefined =>
  [variable, `${variable}_FILE`].find((name) => environment[name] !== undefined && environment[name] !== '')
