import type { Database } from '../../database/database.ts'
import { sqlState } from '../../database/errors.ts'
import { quoteTable } from '../../database/quote.ts'
import type { LinkedSignal } from '../../flow/signals/linked-signal.ts'
import { sleep } from '../../flow/signals/sleep.ts'
import { TaskGroup } from '../../flow/task-group.ts'
import { Problem } from './problem.ts'

/**
 * What one fetch is about; a larger row comes alone. One text of it: of thousands of rows, each an object of its own,
 * memory would fill before it is cleaned up.
 */
const PIECE_BYTES = 65_536
const LOOK_MS = 2_000

/**
 * All rows of a table as lines of JSON that the database itself writes, so every digit is there; a piece at a time,
 * each when the last one was taken. One read-only transaction with a cursor. Leaving ends the query at once.
 *
 * A run that has to change the table waits for this reader, and everybody who comes after waits for the run: then
 * `left` is aborted, also for who waits for the reader meanwhile.
 */
export async function* exportRows(
  database: Database,
  table: string,
  left: LinkedSignal,
): AsyncGenerator<string, void, undefined> {
  await using transaction = await database.transaction({ readOnly: true, signal: left.signal })
  const [backend] = await open()
  await using group = new TaskGroup({ signal: left.signal })
  group.spawn((watching) =>
    endWhenBlocking(database, backend!.pid, left, watching).catch((error: unknown) => left.abort(error)),
  )
  for (;;) {
    const [fetched] = await transaction.query<{ lines: string | null }>(
      `select sluice.fetch_lines('records', ${PIECE_BYTES}) as lines`,
    )
    const lines = fetched?.lines ?? null
    if (lines === null) return
    yield lines
    left.signal.throwIfAborted()
  }

  async function open(): Promise<{ pid: number }[]> {
    try {
      // A line's end outside of a string is white space: a column of type json keeps it as it came.
      await transaction.run(
        `declare records no scroll cursor for select translate(row_to_json(t)::text, E'\\n\\r', '  ') as line from ${quoteTable(table)} as t`,
      )
      return await transaction.query<{ pid: number }>('select pg_backend_pid() as pid')
    } catch (error) {
      if (sqlState(error) === '42P01' || sqlState(error) === '3F000')
        throw new Problem(404, `${table} is not there yet`, 'it is made by the first run that reads a record', {
          cause: error,
        })
      throw error
    }
  }
}

/** End an export that somebody waits for, twice in a row: a moment is nothing. */
async function endWhenBlocking(
  database: Database,
  pid: number,
  left: LinkedSignal,
  signal: AbortSignal,
): Promise<void> {
  for (let waited = 0; ;) {
    await sleep(LOOK_MS, { signal })
    const { held } = await database.one<{ held: boolean }>(
      'select exists (select from pg_locks as l where not l.granted and $1 = any (pg_blocking_pids(l.pid))) as held',
      [pid],
      { signal },
    )
    waited = held ? waited + 1 : 0
    if (waited >= 2)
      return left.abort(
        new Problem(503, 'a run has to change the table, so this export was ended', 'ask again when the run is done'),
      )
  }
}
