// In a file of its own, so that an import of these types does not need the types of the database driver.
import type { Window, WindowCounts } from '../../model/window.ts'
import type { CutRange } from './calendar-windows.ts'

/** One window as it stands before a backfill. */
export interface PlannedWindow extends Window {
  readonly status: 'open' | 'done' | 'failed' | 'skipped'
  /** Done, but the reading could not prove that it has read everything. */
  readonly isUnproven: boolean
  /** True if the backfill would read it. */
  readonly toRead: boolean
  readonly error?: string | undefined
}

/** The windows that a backfill of one stream would read. */
export interface BackfillPlan extends Omit<CutRange, 'windows'> {
  readonly pipeline: string
  readonly stream: string
  /** The id of an earlier backfill with the same range and windows; undefined if there is none. */
  readonly backfill?: string | undefined
  readonly counts: WindowCounts
  readonly toRead: number
  readonly windows: readonly PlannedWindow[]
}
