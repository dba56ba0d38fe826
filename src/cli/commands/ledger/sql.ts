import type { Result } from '../../../database/connection/session.ts'
import type { Database } from '../../../database/database.ts'
import { sqlState } from '../../../database/errors.ts'
import { DatabaseError, UsageError } from '../../../model/errors.ts'
import { connectStore } from '../../../run/open-store.ts'
import { formatCount, formatNumber } from '../../../value/format.ts'
import { messageOf } from '../../../value/error.ts'
import type { CommandContext, CommonOptions } from '../../execute-command.ts'
import { printJsonLines, printTable } from '../../output/print-rows.ts'

interface SqlOptions extends CommonOptions {
  readonly write?: boolean
  readonly json?: boolean
}

/**
 * `sluice sql`: runs all statements in one transaction, read-only unless --write is given. With --write, a statement
 * that no transaction allows is run alone.
 */
export async function sqlCommand(
  [text]: [string],
  { database, write = false, json = false }: SqlOptions,
  { signal }: CommandContext,
): Promise<number> {
  const [command] = /^\\\S*/.exec(text.trim()) ?? []
  if (command !== undefined)
    throw new UsageError(
      `${command} is a command of psql, and not SQL. To see the columns of a table: ` +
        'sluice sql "select * from shop.orders limit 1"',
    )
  await using store = await connectStore({ database, signal })
  const { label } = store.database
  const results = await runIn(store.database, text, { write, signal }).catch((error: unknown) => {
    throw explained(error, label, write)
  })
  for (const { command, rows, count } of results) {
    if (json) {
      printJsonLines(rows)
      continue
    }
    printTable(rows)
    if (rows.length > 0 || command === 'SELECT') console.log(`(${formatCount(rows.length, 'row')})`)
    else console.log(count > 0 ? `${command} ${formatNumber(count)}` : command)
  }
  return 0
}

async function runIn(
  database: Database,
  text: string,
  { write, signal }: { readonly write: boolean; readonly signal: AbortSignal },
): Promise<Result[]> {
  try {
    await using transaction = await database.transaction({ readOnly: !write, signal })
    const results = await transaction.runNumbered(text)
    await transaction.commit()
    return results
  } catch (error) {
    if (sqlState(error) !== NO_TRANSACTION || !write) throw error
  }
  return database.runAlone(text, { signal })
}

/** Such as that of `create database`. */
const NO_TRANSACTION = '25001'
const READ_ONLY_TRANSACTION = '25006'

function explained(error: unknown, label: string, write: boolean): unknown {
  const state = sqlState(error)
  if (state === undefined || (state === READ_ONLY_TRANSACTION && write)) return error
  const text =
    state === READ_ONLY_TRANSACTION
      ? 'this statement would change data, and only reading is allowed; add --write to allow it'
      : `${messageOf(error)} (SQLSTATE ${state}); ${hintOf(error, state, write) ?? 'correct the statement'}`
  return new DatabaseError(`${label}: ${text}`, { cause: error })
}

const UNDEFINED_TABLE = '42P01'

/** Returns what the server suggests, such as another column, or where the names of the tables are. */
function hintOf(error: unknown, state: string, write: boolean): string | undefined {
  if (Error.isError(error) && 'hint' in error && typeof error.hint === 'string') return error.hint
  if (state === NO_TRANSACTION)
    return write ? 'give it alone: several statements are one transaction' : 'add --write, and give it alone'
  return state === UNDEFINED_TABLE ? 'to list the tables of the pipelines: sluice list' : undefined
}
