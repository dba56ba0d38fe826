import { DatabaseError } from '../model/errors.ts'
import type { Queryable } from './queryable.ts'
import type { Database } from './database.ts'
import { quoteLiteral } from './quote.ts'
import type { Transaction } from './transaction.ts'

export interface SnapshotOptions {
  /** Statements at once. @default 3 */
  readonly connections?: number
  readonly signal?: AbortSignal | undefined
}

/**
 * Opens several read-only connections that see the database as it was at one moment. They serve concurrent statements
 * with consistent results.
 *
 * @example
 * await using snapshot = await openSnapshot(database)
 */
export async function openSnapshot(
  database: Database,
  { connections = 3, signal }: SnapshotOptions = {},
): Promise<Queryable & AsyncDisposable> {
  await using opened = new AsyncDisposableStack()
  const first = opened.use(await database.transaction({ readOnly: true, statementTimeout: '30s', signal }))
  const { id } = await first.one<{ id: string }>('select pg_export_snapshot() as id')
  const joining = Array.from({ length: connections - 1 }, async () => {
    const transaction = opened.use(await database.transaction({ readOnly: true, statementTimeout: '30s', signal }))
    await transaction.run(`set transaction snapshot ${quoteLiteral(id)}`)
    return transaction
  })
  // If one fails, the others have to be opened before the stack releases all of them.
  await Promise.allSettled(joining)
  const others = await Promise.all(joining)
  const free: Transaction[] = [first, ...others]
  const waiting: ((transaction: Transaction) => void)[] = []
  const kept = opened.move()
  const withTransaction = async <T>(work: (transaction: Transaction) => Promise<T>): Promise<T> => {
    if (kept.disposed) throw new DatabaseError(`${database.label}: the snapshot is closed; open another one`)
    const transaction = free.pop() ?? (await new Promise<Transaction>((resolve) => waiting.push(resolve)))
    try {
      return await work(transaction)
    } finally {
      const next = waiting.shift()
      if (next) next(transaction)
      else free.push(transaction)
    }
  }
  return {
    query: (text, values) => withTransaction((transaction) => transaction.query(text, values)),
    one: (text, values) => withTransaction((transaction) => transaction.one(text, values)),
    maybeOne: (text, values) => withTransaction((transaction) => transaction.maybeOne(text, values)),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}
