import { isTransient } from '../../database/errors.ts'
import { createdTables } from '../../ledger/created-tables.ts'
import { readStartedAt, restartedSlice, type Restart } from '../../ledger/slices/held-slice.ts'
import { reopenSharedKeySql } from '../../ledger/shared-keys.ts'
import { resolveCommit } from '../../ledger/slices/resolve-commit.ts'
import { checkHeld, restartSql } from '../../ledger/slices/transitions.ts'
import { openTableWriter, type TableWriter } from '../../load/table-writer.ts'
import { sessionMark } from '../../model/slice.ts'
import type { SliceContext } from './slice-context.ts'

const MAX_ATTEMPTS = 3

/**
 * Sets a slice back to its start, with new bounds if `to` is given. The rows that it has written are removed in the
 * same transaction, where the write mode asks for it.
 */
export async function restartSlice(context: SliceContext, to?: Restart): Promise<void> {
  const { stream, scope, slice } = context
  const { database, table, writeSignal: signal } = stream
  const target = await openTableWriter(database, table, {
    slice,
    emit: scope.emit,
    guard: (transaction) => checkHeld(transaction, slice),
    created: createdTables,
    signal,
  })
  const { definition, since, until, cursor } = to ?? slice
  const range = { definition, since, until, cursor }
  const { beginsFull = false } = to ?? {}
  const restart = restartSql(slice, slice.seq, { ...range, beginsFull })
  await commitRestart(context, target, `${reopenSharedKeySql(slice)};\n${restart}`)
  const restarted = restartedSlice(slice, range)
  context.slice = { ...restarted, startedAt: await readStartedAt(database, restarted, signal) }
}

async function commitRestart(context: SliceContext, target: TableWriter, sql: string): Promise<void> {
  const { stream, slice } = context
  const { database, writeSignal: signal } = stream
  for (let attempt = 1; ; attempt += 1) {
    try {
      await using transaction = await database.transaction({ sessionTag: sessionMark(slice), signal })
      await target.clear(transaction)
      await transaction.commit(sql)
      return
    } catch (error) {
      if (attempt >= MAX_ATTEMPTS || !isTransient(error)) throw error
      if ((await resolveCommit(database, slice, slice.seq, { signal })) === 'committed') return
    }
  }
}
