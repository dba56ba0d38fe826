import { DatabaseError, UsageError } from '../../../model/errors.ts'
import { sqlState } from '../../../database/errors.ts'
import { connectStore } from '../../../run/open-store.ts'
import type { CommonOptions, CommandContext } from '../../execute-command.ts'
import { formatNumber } from '../../../value/format.ts'
import { printJsonLines, printTable } from '../../output/print-rows.ts'

interface SqlOptions extends CommonOptions {
  readonly write?: boolean
  readonly json?: boolean
}

/** `sluice sql`: all statements in one transaction, which is read-only unless told otherwise. */
export async function sqlCommand(
  [text]: [string],
  { database, write = false, json = false }: SqlOptions,
  { signal }: CommandContext,
): Promise<number> {
  await using store = await connectStore({ database, signal })
  await using transaction = await store.database.transaction({ readOnly: !write, signal })
  const results = await transaction.run(text).catch((error: unknown) => {
    throw faultOf(error, store.database.label, write)
  })
  for (const { columns } of results) {
    const twice = columns.find((name, place) => columns.indexOf(name) < place)
    if (twice !== undefined)
      throw new UsageError(
        `${store.database.label}: two columns are called ${twice}, and only one could be shown: give one of them another name, as in ${twice} as ${twice}_2`,
      )
  }
  await transaction.commit()
  for (const { command, rows, count } of results) {
    if (json) printJsonLines(rows)
    else {
      printTable(rows)
      console.log(
        rows.length > 0 || command === 'SELECT'
          ? `(${formatNumber(rows.length)} ${rows.length === 1 ? 'row' : 'rows'})`
          : `${command}${count > 0 ? ` ${formatNumber(count)}` : ''}`,
      )
    }
  }
  return 0
}

function faultOf(error: unknown, place: string, write: boolean): unknown {
  const state = sqlState(error)
  if (state === undefined) return error
  if (state === '25006')
    return write
      ? error
      : new DatabaseError(
          `${place}: this would change something, and statements may only read here; add --write to let them`,
          { cause: error },
        )
  const { message } = error as Error
  return new DatabaseError(`${place}: ${message} (SQLSTATE ${state}); mend the statement`, { cause: error })
}
