import { isConnectionError, sqlState } from '../../database/errors.ts'
import { LinkedSignal } from '../../flow/signals/linked-signal.ts'
import { failSlice, releaseSlice } from '../../ledger/slices/transitions.ts'
import type { ClaimedWindow } from '../../ledger/slices/windows.ts'
import { DatabaseError, RateLimitedError, SliceLostError, UsageError } from '../../model/errors.ts'
import { problemText } from '../report/problem-text.ts'
import type { ActiveRun } from '../run-context.ts'
import { syncSlice, type SyncSliceOptions } from '../sync/sync-slice.ts'
import { addCounts, NO_COUNTS } from '../../model/counts.ts'

export interface ReadWindowOptions
  extends Omit<SyncSliceOptions, 'committed' | 'changed'>, Pick<ActiveRun, 'keeper' | 'losing' | 'emit'> {
  readonly gauge: ReturnType<ActiveRun['gauge']>
  readonly stream: string
}

/**
 * Move one window into its table. Answers what it failed with, where that is the window's own fault: it is noted, and
 * the others go on. Throws what would meet the others too, with the window left open for whoever comes next.
 */
export async function readWindow(
  { slice: claimed, restart, lower, upper, index: windowIndex }: ClaimedWindow,
  { keeper, losing, emit, gauge, stream, scope, ...options }: ReadWindowOptions,
): Promise<unknown> {
  const { database, streamName, writing } = options
  using stop = new LinkedSignal(scope.signal)
  let slice = claimed
  let counts = NO_COUNTS
  losing.set(slice.id, (reason) =>
    stop.abort(
      new SliceLostError(
        `${streamName}: the window ${lower} to ${upper} ${reason}. This run stores nothing more of it; what was committed stays`,
      ),
    ),
  )
  emit({
    type: 'slice.started',
    stream,
    slice: slice.id,
    resumed: slice.resumed,
    since: lower,
    lower,
    upper,
    windowIndex,
  })
  try {
    await syncSlice(slice, restart, {
      ...options,
      scope: { ...scope, signal: stop.signal },
      changed: (changed) => {
        slice = changed
      },
      committed: (batch) => {
        counts = addCounts(counts, batch.counts)
        gauge.committed(batch.counts, {})
        emit({ type: 'batch.committed', stream, slice: slice.id, ...batch })
      },
    })
    emit({ type: 'slice.finished', stream, slice: slice.id, counts })
    return undefined
  } catch (error) {
    const isLost = error instanceof SliceLostError
    const text = scope.secrets.hide(problemText(error, `${streamName}, window ${lower} to ${upper}`))
    if (!isLost && !scope.signal.aborted && !concernsAll(error)) {
      // That this fails too adds nothing: its lease ends, and it is claimed again.
      await failSlice(database, slice, { error: text, signal: writing }).catch(() => {})
      emit({ type: 'slice.failed', stream, slice: slice.id, error: text })
      return error
    }
    await releaseSlice(database, slice, { ...(!scope.signal.aborted && { error: text }), signal: writing }).catch(
      () => {},
    )
    if (!isLost || scope.signal.aborted) throw error
    emit({ type: 'warning', stream, message: text })
    return undefined
  } finally {
    keeper.release(slice)
    losing.delete(claimed.id)
  }
}

/**
 * What the next window would fail with as well: the API asks to wait for long, the definition is wrong, the database
 * does not serve.
 */
const concernsAll = (error: unknown): boolean =>
  error instanceof RateLimitedError ||
  error instanceof UsageError ||
  error instanceof DatabaseError ||
  isConnectionError(error) ||
  sqlState(error) !== undefined
