import { sleep } from '../../flow/signals/sleep.ts'
import { claimWindow, windowsLeft, type ClaimedWindow, type ClaimWindowOptions } from '../../ledger/slices/windows.ts'
import { SliceLostError } from '../../model/errors.ts'
import type { StreamContext } from '../stream-context.ts'

const POLL_MS = 250
const WAITING_EVENT_MS = 5_000

/**
 * Claims the next window to read. Waits for windows that other runs hold, and takes over those that they leave
 * unfinished. Returns undefined if no window is left.
 */
export async function nextWindow(
  stream: Pick<StreamContext, 'database' | 'emit' | 'stream' | 'streamName'>,
  options: ClaimWindowOptions,
): Promise<ClaimedWindow | undefined> {
  const { database, streamName } = stream
  for (let waitedMs = 0; ; waitedMs += POLL_MS) {
    const claimed = await claimWindow(database, options)
    if (claimed) return claimed
    const { free, heldByOthers, activeSync } = await windowsLeft(database, options)
    if (free === 0 && heldByOthers === 0) return undefined
    if (free > 0 && activeSync !== undefined) throw readByActiveSync(streamName, activeSync)
    if (waitedMs > 0 && waitedMs % WAITING_EVENT_MS === 0)
      stream.emit({ type: 'waiting', stream: stream.stream, for: 'lock', ms: WAITING_EVENT_MS })
    await sleep(POLL_MS, { signal: options.signal })
  }
}

/** The error of an exclusive backfill while a sync reads its stream. */
export const readByActiveSync = (streamName: string, run: string): SliceLostError =>
  new SliceLostError(
    `${streamName}: run ${run} is reading this stream. Nothing decides which of two rows is newer, ` +
      'so an older row could overwrite a newer one. ' +
      "Give the table a version, such as { versionBy: 'updated_at' }, " +
      'or wait until that run has ended and start the same backfill again',
  )
