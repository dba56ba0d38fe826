import type { Database } from '../../database/database.ts'
import { sleep } from '../../flow/signals/sleep.ts'
import { claimWindow, windowsLeft, type ClaimedWindow, type ClaimWindowOptions } from '../../ledger/slices/windows.ts'
import { SliceLostError } from '../../model/errors.ts'
import type { RunEvent } from '../../model/event.ts'

export interface NextWindowOptions extends ClaimWindowOptions {
  readonly pipeline: string
  readonly stream: string
  readonly emit: (event: RunEvent) => void
}

const POLL_MS = 250

/**
 * Claims the next window to read. Waits for windows that other runs hold, and takes over those that they leave
 * unfinished. Returns undefined if none is left.
 */
export async function nextWindow(database: Database, options: NextWindowOptions): Promise<ClaimedWindow | undefined> {
  const { stream, emit, signal } = options
  for (let waited = 0; ; waited += POLL_MS) {
    const claimed = await claimWindow(database, options)
    if (claimed) return claimed
    const { free, heldByOthers, activeSync } = await windowsLeft(database, options)
    if (free === 0 && heldByOthers === 0) return undefined
    if (free > 0 && activeSync !== undefined) throw new SliceLostError(besideSync(options, activeSync))
    if (waited > 0 && waited % 5_000 === 0) emit({ type: 'waiting', stream, for: 'lock', ms: 5_000 })
    await sleep(POLL_MS, { signal })
  }
}

/** Returns why an exclusive backfill stops while a sync reads its stream. */
export const besideSync = (
  { pipeline, stream }: { readonly pipeline: string; readonly stream: string },
  run: string,
): string =>
  `${pipeline}.${stream}: run ${run} is syncing it, and nothing says which of two rows is newer, so an older row could ` +
  `overwrite a newer one. Give the table a version, as { version: 'updated_at' }, or run the same backfill again once ` +
  `that run has ended`
