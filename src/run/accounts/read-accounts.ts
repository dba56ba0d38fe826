import { readFile } from 'node:fs/promises'
import type { Accounts } from '../../define/accounts/accounts.ts'
import { parseAccounts, provenAccounts, type AccountData } from '../../define/accounts/parse-accounts.ts'
import { isConnectionError, sqlState } from '../../database/errors.ts'
import { UsageError } from '../../model/errors.ts'
import { messageOf } from '../../value/error.ts'
import { openStoreToRead } from '../open-store.ts'

export interface ReadAccountsOptions {
  /** The target database, for accounts by a query. @default DATABASE_URL, else the embedded one */
  readonly database?: string | undefined
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly signal: AbortSignal
}

/** Returns the accounts of a pipeline as they are now. Throws if there is none. */
export async function readAccounts(
  pipeline: string,
  { source }: Accounts,
  options: ReadAccountsOptions,
): Promise<AccountData[]> {
  if ('query' in source) return readQuery(source.query, `${pipeline}: the query of its accounts`, options)
  if ('file' in source) {
    const place = `${pipeline}: ${source.file instanceof URL ? source.file.pathname : source.file}`
    return parseAccounts(await readText(source.file, place), place)
  }
  return parseAccounts(...(await readVariable(pipeline, source.variable, options)))
}

/** Returns the text of a variable, or of the file that `NAME_FILE` leads to, and its place for messages. */
async function readVariable(
  pipeline: string,
  variable: string,
  { environment }: ReadAccountsOptions,
): Promise<[text: string, place: string]> {
  const [text, file] = [environment[variable], environment[`${variable}_FILE`]]
  if (text && file) throw new UsageError(`${pipeline}: both ${variable} and ${variable}_FILE are set. Keep one of them`)
  if (text) return [text, `${pipeline}: ${variable}`]
  if (file) return [await readText(file, `${pipeline}: ${variable}_FILE`), `${pipeline}: the file of ${variable}_FILE`]
  throw new UsageError(
    `${pipeline}: there is no account, because ${variable} is ${text === undefined ? 'not set' : 'empty'}. Set it to ` +
      `names, as in ${variable}=north,south, or to JSON; or set ${variable}_FILE to the path of a file`,
  )
}

async function readText(file: string | URL, place: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new UsageError(`${place}: the file of its accounts cannot be read (${messageOf(cause)})`, { cause })
  }
}

/** SQLSTATE of a statement that would change something in a transaction that only reads. */
const READ_ONLY = '25006'

/** Runs the query in a transaction that can only read. */
async function readQuery(query: string, place: string, options: ReadAccountsOptions): Promise<AccountData[]> {
  const { database, environment, signal } = options
  await using store = await openStoreToRead({ database, environment, max: 1, signal })
  if (!store)
    throw new UsageError(`${place}: there is no database yet. Set DATABASE_URL to the database that has the accounts`)
  await using transaction = await store.database.transaction({ readOnly: true, statementTimeout: '30s', signal })
  try {
    return provenAccounts(await transaction.query(query), place)
  } catch (cause) {
    if (cause instanceof UsageError || signal.aborted || isConnectionError(cause)) throw cause
    const problem = sqlState(cause) === READ_ONLY ? 'it changes the database' : messageOf(cause)
    throw new UsageError(`${place} failed: ${problem}. It may only read, and must return a column 'name'`, { cause })
  }
}
