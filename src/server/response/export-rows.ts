import type { Database } from '../../database/database.ts'
import { sqlState } from '../../database/errors.ts'
import { quoteIdentifier, quoteLiteral, quoteTable } from '../../database/quote.ts'
import type { Transaction } from '../../database/transaction.ts'
import type { LinkedSignal } from '../../flow/signals/linked-signal.ts'
import { sleep } from '../../flow/signals/sleep.ts'
import { TaskGroup } from '../../flow/task-group.ts'
import type { Table } from '../../model/recipe.ts'
import { Problem } from './problem.ts'

/**
 * Bytes of one fetch; a larger row is fetched alone. A fetch is one text, because thousands of row objects would fill
 * the memory before they are collected.
 */
const FETCH_BYTES = 65_536
const BLOCKING_POLL_MS = 500
const MAX_BLOCKING_POLLS = 4

/**
 * Reads all rows of a table, or those of its account, in one transaction, as lines of JSON that the database writes, so
 * that every digit is kept. The next fetch begins when the previous one was taken. Aborting `left` ends the query at
 * once.
 *
 * A run that has to change the table waits for this transaction, and later readers wait for the run. Then `left` is
 * aborted, also while the client reads slowly.
 */
export async function* exportRows(
  database: Database,
  table: Pick<Table, 'name' | 'account'>,
  left: LinkedSignal,
): AsyncGenerator<string, void, undefined> {
  await using transaction = await database.transaction({ readOnly: true, signal: left.signal })
  const pid = await openCursor(transaction, table)
  await using group = new TaskGroup({ signal: left.signal })
  group.spawn((signal) => endWhenBlocking(database, pid, left, signal).catch((error: unknown) => left.abort(error)))
  for (;;) {
    const [fetched] = await transaction.query<{ lines: string | null }>(
      `select sluice.fetch_lines('records', ${FETCH_BYTES}) as lines`,
    )
    const lines = fetched?.lines ?? null
    if (lines === null) return
    yield lines
    left.signal.throwIfAborted()
  }
}

/** Opens the cursor `records`, and returns the process id of its session. */
async function openCursor(
  transaction: Transaction,
  { name: table, account }: Pick<Table, 'name' | 'account'>,
): Promise<number> {
  const own = account ? ` where t.${quoteIdentifier(account.name)} = ${quoteLiteral(account.value)}` : ''
  try {
    // Line ends outside of strings are white space, which a column of type json keeps: they would end the line.
    await transaction.run(
      `declare records no scroll cursor for
       select translate(row_to_json(t)::text, E'\\n\\r', '  ') as line from ${quoteTable(table)} as t${own}`,
    )
    const { pid } = await transaction.one<{ pid: number }>('select pg_backend_pid() as pid')
    return pid
  } catch (error) {
    if (sqlState(error) === '42P01' || sqlState(error) === '3F000')
      throw new Problem(
        404,
        `table ${table} does not exist yet`,
        'run the stream: its first record creates the table',
        {
          cause: error,
        },
      )
    throw error
  }
}

/** Ends an export when another session has waited for it at four polls in a row, which is about 2 s. */
async function endWhenBlocking(
  database: Database,
  pid: number,
  left: LinkedSignal,
  signal: AbortSignal,
): Promise<void> {
  for (let polls = 0; polls < MAX_BLOCKING_POLLS;) {
    await sleep(BLOCKING_POLL_MS, { signal })
    const { blocks } = await database.one<{ blocks: boolean }>(
      'select exists (select from pg_locks as l where not l.granted and $1 = any (pg_blocking_pids(l.pid))) as blocks',
      [pid],
      { signal },
    )
    polls = blocks ? polls + 1 : 0
  }
  left.abort(
    new Problem(503, 'a run has to change the table, so this export was ended', 'try again when the run has ended'),
  )
}
