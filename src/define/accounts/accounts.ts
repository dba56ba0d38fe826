import { UsageError } from '../../model/errors.ts'
import { rejectUnknownOptions, type OptionNames } from '../../model/unknown-option.ts'

/** Options of `accounts()`. */
export interface AccountsOptions {
  /** The column with the name of the account, a part of the key. @default 'account' */
  readonly column?: string
  /** Accounts that run at the same time. @default 4 */
  readonly concurrency?: number
  /**
   * The beginning of the names of variables, such as `SHOPS` in `SHOPS_NORTH_TOKEN`. @default the variable that names
   * the accounts, else the name of the pipeline
   */
  readonly prefix?: string
}

/** Where the names of accounts, and values of each, are read. */
export type AccountsSource =
  | { readonly variable: string }
  | { readonly file: string | URL }
  | { readonly query: string }

/** The accounts of an API that one pipeline reads: what `accounts()` returns. */
export interface Accounts {
  readonly source: AccountsSource
  readonly column: string
  readonly concurrency: number
  readonly prefix?: string
}

const OPTIONS: OptionNames<AccountsOptions> = { column: true, concurrency: true, prefix: true }
const DEFAULT_CONCURRENCY = 4

/** Columns that Sluice or PostgreSQL adds by itself. */
const TAKEN_COLUMNS = new Set(['_slice', '_loaded_at', '_row', 'ctid', 'xmin', 'xmax', 'cmin', 'cmax', 'tableoid'])

/**
 * Names the accounts of one API: by an environment variable, by a file of JSON, or by a query of the target database.
 * They are read when a run starts, and again by a scheduler or a server.
 *
 * @example
 * pipeline('shops', { for: accounts('SHOPS'), streams: (account) => ({ … }) })
 */
export function accounts(
  from: string | { readonly file: string | URL } | { readonly query: string },
  options: AccountsOptions = {},
): Accounts {
  const place = `accounts(${typeof from === 'string' ? JSON.stringify(from) : '{ … }'})`
  rejectUnknownOptions(place, options, OPTIONS)
  const { column = 'account', concurrency = DEFAULT_CONCURRENCY, prefix } = options
  const source = sourceOf(from, place)
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(column) || TAKEN_COLUMNS.has(column))
    throw new UsageError(
      `${place}: ${JSON.stringify(column)} cannot be the column of the account. ` +
        "Give a name of small letters, digits and '_', such as 'shop', that no other column has",
    )
  if (!Number.isInteger(concurrency) || concurrency < 1)
    throw new UsageError(`${place}: concurrency must be a whole number from 1, not ${String(concurrency)}`)
  if (prefix !== undefined && !VARIABLE.test(prefix))
    throw new UsageError(`${place}: prefix must be the beginning of a variable's name, such as 'SHOPS'`)
  return Object.freeze({ source, column, concurrency, ...(prefix !== undefined && { prefix }) })
}

const VARIABLE = /^[A-Za-z_]\w*$/

function sourceOf(from: unknown, place: string): AccountsSource {
  if (typeof from === 'string') {
    if (VARIABLE.test(from)) return Object.freeze({ variable: from })
    throw new UsageError(`${place}: give the name of an environment variable, such as 'SHOPS'`)
  }
  const { file, query, ...others } = (from ?? {}) as { readonly file?: unknown; readonly query?: unknown }
  if (Object.keys(others).length === 0) {
    if (query === undefined && (file instanceof URL || (typeof file === 'string' && file !== '')))
      return Object.freeze({ file })
    if (file === undefined && typeof query === 'string' && query.trim() !== '') return Object.freeze({ query })
  }
  throw new UsageError(
    `${place}: give the name of a variable, { file: './shops.json' } or { query: 'select name from …' }`,
  )
}

/** Describes accounts for people. */
export function accountsText({ source, column, concurrency }: Accounts): string {
  let from = 'variable' in source ? `the variable ${source.variable}` : 'a file'
  if ('query' in source) from = 'a query of the database'
  return `a pipeline for each account of ${from}, ${concurrency} at a time; their column: ${column}`
}
