import { readCreationRight } from '../../database/creation-right.ts'
import type { Database } from '../../database/database.ts'
import { sqlState } from '../../database/errors.ts'
import { quoteIdentifier, splitTable } from '../../database/quote.ts'
import type { Transaction } from '../../database/transaction.ts'
import { sleep } from '../../flow/signals/sleep.ts'
import { LoadError, SchemaError } from '../../model/errors.ts'
import { shorten } from '../../value/text.ts'

export interface ChangeOptions {
  /** Each step returns its statements, after the step before was run. */
  readonly steps: readonly ((transaction: Transaction) => Promise<readonly string[]>)[]
  readonly table: string
  /** Called inside the transaction before the steps. */
  readonly guard?: ((transaction: Transaction) => Promise<void>) | undefined
}

export interface AttemptOptions {
  readonly table: string
  /** The statements that the last attempt ran. They are quoted if no attempt gets the lock. */
  readonly statements: readonly string[]
  /** Called with the milliseconds of each pause between two attempts. */
  readonly onWait: (ms: number) => void
  readonly signal?: AbortSignal | undefined
}

/** Each attempt is short, because all other sessions queue behind a session that waits for such a lock. */
const MAX_ATTEMPTS = 20
const PAUSE_MS = 3_000

/** Limits of a transaction that changes a table. */
export const CHANGE_LIMITS = { lockTimeout: '3s', statementTimeout: '30m' } as const

/** Repeats a transaction that changes a table until it gets the lock. */
export async function untilUnlocked(
  { table, statements, onWait, signal }: AttemptOptions,
  attempt: () => Promise<void>,
): Promise<void> {
  for (let number = 1; ; number += 1) {
    try {
      await attempt()
      return
    } catch (error) {
      if (sqlState(error) !== '55P03') throw error
      if (number === MAX_ATTEMPTS) {
        const alternative = statements.length === 0 ? '' : `. Or run: ${shorten(statements.join('; '))}`
        throw new LoadError(
          `${table}: it has to change, but other sessions held a lock on it for ${MAX_ATTEMPTS} attempts of 3 s. ` +
            `End them: pg_stat_activity lists them${alternative}`,
          { cause: error },
        )
      }
      const pause = PAUSE_MS * (0.5 + Math.random())
      onWait(pause)
      await sleep(pause, { signal })
    }
  }
}

/** Changes a table in a transaction of its own, one process at a time. */
export async function changeTable(
  database: Database,
  { sessionTag, ...options }: ChangeOptions & Omit<AttemptOptions, 'statements'> & { readonly sessionTag: string },
): Promise<void> {
  const statements: string[] = []
  const { table, onWait, signal } = options
  await untilUnlocked({ table, statements, onWait, signal }, async () => {
    await using transaction = await database.transaction({ ...CHANGE_LIMITS, sessionTag, signal })
    await changeInside(transaction, options, statements)
    await transaction.commit()
  })
}

/**
 * Runs the steps inside a transaction whose first statements they are. Puts each statement into `statements` first, so
 * that an error can quote it.
 */
export async function changeInside(
  transaction: Transaction,
  { steps, table, guard }: ChangeOptions,
  statements: string[],
): Promise<void> {
  statements.length = 0
  try {
    await transaction.lock(`table ${table}`)
    await guard?.(transaction)
    for (const step of steps) {
      statements.splice(0, Infinity, ...(await step(transaction)))
      // With this style a date that widens to text keeps the form in which it was sent.
      if (statements.length > 0) await transaction.run([`set local datestyle = 'ISO, YMD'`, ...statements].join(';\n'))
    }
  } catch (error) {
    throw sqlState(error) === '55P03' ? error : explained(error, table, statements)
  }
}

/**
 * Makes streams that create their tables at the same time wait for each other if their schema is missing. Throws if the
 * user may not create the table: the error of the database would name neither the user nor the grant.
 */
export async function lockMissingSchema(transaction: Transaction, table: string): Promise<void> {
  const { isSchemaMissing, problem } = await readCreationRight(transaction, table)
  if (problem !== undefined) throw new SchemaError(`${table}: ${problem}`, { explanation: 'DATABASE_RIGHTS' })
  if (isSchemaMissing) await transaction.lock(`schema ${splitTable(table).schema}`)
}

/** Explains errors that a person has to resolve: a missing right, a view that uses the column, a wrong type name. */
function explained(error: unknown, table: string, statements: readonly string[]): unknown {
  const state = sqlState(error)
  if (!(error instanceof Error) || state === undefined || !/^(?:42|0A|2B|3F|22|23|54)/.test(state)) return error
  const { detail } = error as { detail?: unknown }
  const reason = typeof detail === 'string' ? `${error.message}: ${detail}` : error.message
  const remedy = remedyFor(state, error.message, shorten(statements.join('; ')))
  return new SchemaError(`${table}: the database refused to change it (${reason}). ${remedy}`, { cause: error })
}

function remedyFor(state: string, message: string, statements: string): string {
  const [, schema] = /^permission denied for schema (.+)$/.exec(message) ?? []
  switch (state) {
    case '42501':
      return schema === undefined
        ? `Let a user with the right to do so run: ${statements}`
        : `Let an administrator run: grant usage, create on schema ${quoteIdentifier(schema)} to USER, USER being ` +
            'that of DATABASE_URL'
    case '42704':
      return 'Correct the type in the columns of the table, or install the extension that has it'
    case '54011':
      return 'Leave fields out with columns: { FIELD: false }'
    default:
      return `Resolve that and run again, or run: ${statements}`
  }
}
