import type { Database } from '../../database/database.ts'
import { sqlState } from '../../database/errors.ts'
import type { Transaction } from '../../database/transaction.ts'
import { sleep } from '../../flow/signals/sleep.ts'
import { LoadError, SchemaError } from '../../model/errors.ts'

export interface ChangeOptions {
  /**
   * What is to be done, by what the table is like inside the transaction; each step after the one before has been done.
   */
  readonly steps: readonly ((transaction: Transaction) => Promise<readonly string[]>)[]
  readonly table: string
  /** Called before the steps. */
  readonly guard?: ((transaction: Transaction) => Promise<void>) | undefined
  /** By which its session can be found. */
  readonly mark: string
  readonly waiting: (ms: number) => void
  readonly signal?: AbortSignal | undefined
}

/**
 * How often a table that somebody else holds is tried again. Each try is short: who waits for such a lock holds up
 * everybody behind it.
 */
const attempts = 20
const pauseMs = 3_000

/** Changes a table in a transaction of its own, one process at a time. */
export async function changeTable(
  database: Database,
  { steps, table, guard, mark, waiting, signal }: ChangeOptions,
): Promise<void> {
  let statements: readonly string[] = []
  for (let attempt = 1; ; attempt += 1) {
    try {
      await using transaction = await database.transaction({
        lockTimeout: '3s',
        statementTimeout: '30m',
        sessionTag: mark,
        signal,
      })
      // Its schema first: two streams that make their tables at once would both make the schema, and one would fail.
      await transaction.lock(`schema ${table.split('.')[0]}`)
      await transaction.lock(`table ${table}`)
      await guard?.(transaction)
      for (const step of steps) {
        statements = await step(transaction)
        // A date that becomes text is written as it came.
        if (statements.length > 0)
          await transaction.run([`set local datestyle = 'ISO, YMD'`, ...statements].join(';\n'))
      }
      await transaction.commit()
      return
    } catch (error) {
      if (sqlState(error) !== '55P03') throw explained(error, table, statements)
      if (attempt === attempts) {
        throw new LoadError(
          `${table}: it has to change, and others held it for ${attempts} tries of 3 s. Let them end (pg_stat_activity names them), or run: ${statements.join('; ')}`,
          { cause: error },
        )
      }
      const pause = pauseMs * (0.5 + Math.random())
      waiting(pause)
      await sleep(pause, { signal })
    }
  }
}

/** No right, a view that uses the column, an object of the same name: people have to do it. */
function explained(error: unknown, table: string, statements: readonly string[]): unknown {
  const state = sqlState(error)
  if (!(error instanceof Error) || state === undefined || !/^(?:42|0A|2B|3F|22|23|54)/.test(state)) return error
  const { detail } = error as { detail?: unknown }
  const more = typeof detail === 'string' ? `: ${detail}` : ''
  return new SchemaError(
    `${table}: it has to change, and the database refuses that (${error.message}${more}). Let somebody who may run: ${statements.join('; ')}`,
    { cause: error },
  )
}
