// What is told of a plan, by itself: whoever imports these types need not have those of the database's driver.
import type { Window, WindowCounts } from '../../model/window.ts'
import type { CutRange } from './calendar-windows.ts'

/** One window as it stands before a backfill. */
export interface PlannedWindow extends Window {
  readonly status: 'open' | 'done' | 'failed' | 'skipped'
  /** It would be read. */
  readonly toRead: boolean
  readonly error?: string | undefined
}

/** What a backfill of one stream would do. */
export interface BackfillPlan extends Omit<CutRange, 'windows'> {
  readonly pipeline: string
  readonly stream: string
  /** The backfill that the same words have made; undefined: it would be a new one. */
  readonly backfill?: string | undefined
  readonly counts: WindowCounts
  readonly toRead: number
  readonly windows: readonly PlannedWindow[]
}
