import type { ClaimedWindow } from '../../ledger/slices/windows.ts'
import type { StreamContext } from '../stream-context.ts'
import { holdSlice } from '../sync/hold-slice.ts'

/**
 * Reads one window into its table. Returns the error of a window that failed by itself: the others can still be read.
 * Throws an error that the others would hit as well. The window then stays open.
 */
export async function syncWindow(
  stream: StreamContext,
  { slice, restart, lower, upper, index: windowIndex }: ClaimedWindow,
  signal: AbortSignal,
): Promise<unknown> {
  await using held = holdSlice(stream, { slice, restart, window: { lower, upper, windowIndex } }, { signal })
  try {
    await held.sync()
    return undefined
  } catch (error) {
    if (held.status === 'failed') {
      stream.emit({ type: 'slice.failed', stream: stream.stream, slice: slice.id, error: held.problem(error) })
      return error
    }
    if (held.status !== 'lost') throw error
    stream.warn(held.problem(error))
    return undefined
  }
}
