import type { Database } from '../../database/database.ts'
import { duration } from '../../value/duration.ts'
import { DatabaseError } from '../../model/errors.ts'
import type { Window } from '../../model/window.ts'
import { defined } from '../../value/defined.ts'
import { keepClaimed, type HoldOptions } from './claim.ts'
import type { HeldSlice, Restart } from './held-slice.ts'
import { claimWindowRow } from './transitions.ts'

/**
 * Which windows of a backfill a run reads: those that are neither done nor skipped; `missing` first skips those that
 * other backfills of the stream have done; `failed` only those that have failed and are not done or skipped since;
 * `all` also the skipped ones. The rule is `sluice.is_selected`.
 */
export type Only = 'missing' | 'failed' | 'all'

/** The windows of a backfill that a run reads. */
export interface WindowSelection {
  readonly only?: Only | undefined
  /** Windows by their lower bounds. @default all */
  readonly onlyWindows?: readonly string[] | undefined
}

export interface ClaimWindowOptions extends HoldOptions, WindowSelection {
  readonly backfill: string
}

export interface ClaimedWindow extends Window {
  readonly slice: HeldSlice
  readonly restart?: Restart
  /** The index of the window in its backfill, from 0. */
  readonly index: number
}

/** Claims the lowest window that is to be read and that no run holds. Returns undefined if there is none. */
export async function claimWindow(database: Database, options: ClaimWindowOptions): Promise<ClaimedWindow | undefined> {
  const { run, keeper, backfill, only, onlyWindows, definition, resume = '24h', signal } = options
  const { mustBeComplete = false } = options
  const row = await claimWindowRow(database, {
    run,
    backfill,
    only,
    onlyWindows,
    definition,
    session: keeper.session,
    signal,
  })
  if (!row) return undefined
  if (row.since === null || row.until === null)
    throw new DatabaseError(`the ledger has a window without bounds in backfill ${backfill}. Please report this`)
  const slice = await keepClaimed(database, row, keeper, signal)
  const { since: lower, until: upper } = row
  const reason = ((): Restart['reason'] | undefined => {
    if (slice.seq === 0) return undefined
    if (row.definition !== definition) return 'definition'
    if (mustBeComplete && row.completeness === 'open') return 'incomplete'
    return Number(row.age) > duration(resume) ? 'age' : undefined
  })()
  const restart = reason && { reason, definition, since: lower, until: upper }
  return { slice, lower, upper, index: Number(row.ordinal), ...defined({ restart }) }
}

export interface WindowsLeft {
  /** Windows that this run may claim, except for the moment of a race. */
  readonly free: number
  /** Windows that other runs hold. */
  readonly heldByOthers: number
  /** The run of a sync that reads the stream, if the backfill is exclusive. */
  readonly activeSync: string | undefined
}

/** Returns what is left of a backfill for a run that could claim nothing. */
export async function windowsLeft(
  database: Database,
  {
    run,
    backfill,
    only,
    onlyWindows,
    signal,
  }: Pick<ClaimWindowOptions, 'run' | 'backfill' | 'signal'> & WindowSelection,
): Promise<WindowsLeft> {
  const {
    free,
    held_by_others: heldByOthers,
    active_sync: activeSync,
  } = await database.one<{ free: string; held_by_others: string; active_sync: string | null }>(
    'select free, held_by_others, active_sync from sluice.windows_left($1, $2, $3, $4)',
    [run, backfill, only, onlyWindows],
    { signal },
  )
  return { free: Number(free), heldByOthers: Number(heldByOthers), activeSync: activeSync ?? undefined }
}

/**
 * Notes whether windows of a backfill may be read beside a sync of the stream. If nothing says which of two rows is
 * newer they may not: an older row could overwrite a newer one.
 */
export async function setExclusive(
  database: Database,
  backfill: string,
  exclusive: boolean,
  signal: AbortSignal,
): Promise<void> {
  await database.query(
    'update sluice.backfills set exclusive = $2 where id = $1 and exclusive <> $2',
    [backfill, exclusive],
    { signal },
  )
}
