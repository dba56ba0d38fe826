import type { Database } from '../../database/database.ts'
import { sleep } from '../../flow/signals/sleep.ts'
import { findActiveSync } from '../../ledger/slices/exclusive.ts'
import {
  claimWindow,
  windowsLeft,
  type ClaimedWindow,
  type ClaimWindowOptions,
} from '../../ledger/slices/claim-window.ts'
import { releaseSlice } from '../../ledger/slices/close.ts'
import { SliceLostError } from '../../model/errors.ts'
import type { RunEvent } from '../../model/event.ts'

export interface NextWindowOptions extends ClaimWindowOptions {
  readonly pipeline: string
  readonly stream: string
  /** No live run may read the stream beside. */
  readonly alone: boolean
  readonly emit: (event: RunEvent) => void
}

const POLL_MS = 250

/**
 * The next window to read. One that another run holds is waited for: what it does not finish is ours. Undefined:
 * nothing is left.
 */
export async function nextWindow(database: Database, options: NextWindowOptions): Promise<ClaimedWindow | undefined> {
  const { stream, alone, emit, signal } = options
  for (let waited = 0; ; waited += POLL_MS) {
    const claimed = await claimWindow(database, options)
    if (claimed) {
      if (alone) await refuseBeside(database, options, claimed)
      return claimed
    }
    const { free, others } = await windowsLeft(database, options)
    if (free === 0 && others === 0) return undefined
    if (waited > 0 && waited % 5_000 === 0) emit({ type: 'waiting', stream, for: 'lock', ms: 5_000 })
    await sleep(POLL_MS, { signal })
  }
}

async function refuseBeside(
  database: Database,
  { keeper, signal, ...name }: NextWindowOptions,
  { slice }: ClaimedWindow,
): Promise<void> {
  const live = await findActiveSync(database, name, signal)
  if (!live) return
  keeper.release(slice)
  await releaseSlice(database, slice, { signal })
  throw new SliceLostError(besideLive(name, live.run))
}

/** Why a backfill does not go on while a live run reads its stream. */
export const besideLive = (
  { pipeline, stream }: { readonly pipeline: string; readonly stream: string },
  run: string,
): string =>
  `${pipeline}.${stream}: run ${run} is reading it live, and nothing says which of two rows is newer, so an older one could overwrite a newer one: give the table a version, as { version: 'updated_at' }, or wait until that run has ended and give the same words again`
