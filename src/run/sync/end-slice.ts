// What ends a slice, in the transaction of its last batch: its grade, and the swap of a replace or the deletions of a
// mirror.
import type { Transaction } from '../../database/transaction.ts'
import type { EncodedPage } from '../../load/encode/encoded-page.ts'
import { UNCONFIRMED } from '../../load/mirror/delete-missing.ts'
import { keptText } from '../../load/mirror/table-mirror.ts'
import type { TableWriter } from '../../load/table-writer.ts'
import type { WrittenBatch } from '../../load/write-batch.ts'
import type { Advance } from '../../model/batch.ts'
import { openBecause, worstOf } from '../../model/completeness.ts'
import { addChildren } from '../../model/counts.ts'
import { TooManyDeletesError } from '../../model/errors.ts'
import type { HighWaterMark } from '../../model/page.ts'
import type { Table } from '../../model/recipe.ts'
import type { Duration } from '../../model/request.ts'
import { mirroredValidators } from '../../source/if-changed.ts'
import { defined } from '../../value/defined.ts'
import { isReadIfChanged, type MirrorReading } from './mirror-reading.ts'
import type { SliceContext } from './slice-context.ts'
import type { SliceProgress } from './slice-progress.ts'

/**
 * Returns the limits of a transaction that are longer than usual: the last batch of a replace or of a mirror brings the
 * whole table to what was read, and other batches of a mirror wait for it.
 */
export const limitsOf = (
  { mirror }: Pick<Table, 'mirror'>,
  isLongEnd: boolean,
): { readonly statementTimeout?: Duration; readonly lockTimeout?: Duration } => ({
  ...(isLongEnd && { statementTimeout: '2h' }),
  ...(mirror && { lockTimeout: '10m' }),
})

export interface EndSliceOptions {
  readonly context: SliceContext
  readonly target: TableWriter
  readonly progress: SliceProgress
  readonly mirror: MirrorReading | undefined
  /** The last page. */
  readonly last: EncodedPage | undefined
  /** The database has refused the transaction at its end before. */
  readonly isCareful: boolean
}

export interface EndedSlice {
  readonly written: WrittenBatch
  readonly swap: Advance['swap']
  /** To be told once the transaction is committed. */
  readonly warnings: readonly string[]
  /**
   * The mirror would delete too much, or has to know first what has changed since the cursor: what was read is
   * committed, and the slice does not end.
   */
  readonly refusal?: TooManyDeletesError | typeof UNCONFIRMED
}

/** Throws if the slice must not end, because its reading is open. */
export async function endSlice(
  transaction: Transaction,
  stored: WrittenBatch,
  { context: { stream, slice }, target, progress, mirror, last, isCareful }: EndSliceOptions,
): Promise<EndedSlice> {
  const written = slice.kind === 'replay' ? stored : graded(stored, last, progress.missingKey(stored))
  progress.checkComplete(written)
  const isUnchanged = written.highWaterMark?.isUnchanged === true
  const swap = await target.finish(transaction, { isUnchanged })
  const because = mirror?.keptBecause
  const { grade = 'open' } = progress.wholeCompleteness(written) ?? {}
  const isOpen = grade === 'open'
  const ended = await target.endMirror(transaction, {
    isUnread: isUnchanged,
    keptBecause: because ?? (isOpen && !mirror?.ofLists ? UNPROVEN : undefined),
    partBecause: mirror?.partBecause ?? (isOpen && mirror?.ofLists ? UNPROVEN : undefined),
    mostDeletes: stream.mostDeletes,
    isCareful,
    isConfirmed: mirror?.isConfirmed ?? false,
  })
  if (ended === UNCONFIRMED || ended instanceof TooManyDeletesError)
    return { written, swap, warnings: [], refusal: ended }
  if (!ended) return { written, swap, warnings: because === undefined ? [] : [keptText(target.table, because)] }
  const { deleted, warnings, children } = ended
  const validators =
    deleted !== undefined && warnings.length === 0 && isReadIfChanged(stream.recipe)
      ? progress.wholeHighWaterMark(written)
      : undefined
  const highWaterMark: HighWaterMark | undefined = validators && {
    value: mirroredValidators(validators.value),
    isToken: true,
  }
  return {
    written: { ...written, ...defined({ children: addChildren(written.children, children), highWaterMark }) },
    swap: deleted === undefined ? swap : { inserted: 0, updated: 0, deleted },
    warnings,
  }
}

/**
 * Adds what makes the end of a slice open. An end without a grade is a fault of its source or of a stage, and must not
 * look like a proof. A reading whose records all lack the key has stored nothing.
 */
function graded(written: WrittenBatch, last: EncodedPage | undefined, missingKey: string | undefined): WrittenBatch {
  const ungraded = last?.completeness === undefined ? UNGRADED_END : undefined
  const keyless = missingKey === undefined ? undefined : openBecause(missingKey)
  return { ...written, ...defined({ completeness: worstOf(written.completeness, worstOf(ungraded, keyless)) }) }
}

const UNPROVEN = 'it is not proven that everything was read'

const UNGRADED_END = openBecause(
  'the reading ended without saying whether it was complete. Please report this with the definition of the stream',
)
