/** Where rows of an account are marked as its own: a column of the table, which is a part of the key. */
export interface AccountColumn {
  /** The name of the column. */
  readonly name: string
  /** The name of the account. */
  readonly value: string
}

/** The account for which a pipeline runs. */
export interface AccountOf {
  /** The pipeline as its file names it. */
  readonly pipeline: string
  readonly name: string
  /** The beginning of the names of its variables, such as `SHOPS_NORTH_`. */
  readonly prefix: string
}

/**
 * Returns the name under which the ledger keeps a pipeline of one account, such as `shops@north`. No pipeline of a file
 * can have such a name. So everything that the ledger separates by pipeline is separated by account.
 */
export const accountPipelineName = (pipeline: string, account: string): string => `${pipeline}@${account}`

/** Returns the name of a pipeline as its file has it, without an account. */
export const withoutAccount = (pipeline: string): string => pipeline.split('@', 1)[0] ?? pipeline
