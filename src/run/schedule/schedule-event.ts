import type { AccountsChange } from '../accounts/live-accounts.ts'

/** An event of a scheduler. Instants are ISO 8601, in UTC. */
export type ScheduleEvent =
  | {
      readonly type: 'scheduler.started'
      readonly pipelines: readonly { readonly pipeline: string; readonly schedule: string; readonly next: string }[]
    }
  | {
      readonly type: 'tick.started'
      readonly pipeline: string
      readonly tick: string
      /** True if the tick was missed and is caught up. */ readonly late: boolean
    }
  | {
      readonly type: 'tick.finished'
      readonly pipeline: string
      readonly tick: string
      readonly status: 'done' | 'failed' | 'interrupted' | 'skipped'
      /** Undefined if no run started. */
      readonly run?: string
      readonly ms: number
      readonly fetched: number
      /** The number of inserted and updated rows. */
      readonly stored: number
      readonly rejected: number
      /** Streams whose reading could not prove that it has read everything. Absent if there is none. */
      readonly open?: readonly string[]
      readonly error?: string
    }
  /** With `distribute`: who does the work of a tick, or of one of its streams. */
  | { readonly type: 'tick.note'; readonly pipeline: string; readonly tick: string; readonly message: string }
  /** The tick has no run, because the pipeline was still running. */
  | {
      readonly type: 'tick.skipped'
      readonly pipeline: string
      readonly tick: string
      readonly status: 'skipped' | 'failed'
      readonly reason: string
    }
  /** No scheduler was running at these ticks, and they are not caught up. */
  | {
      readonly type: 'ticks.missed'
      readonly pipeline: string
      readonly count: number
      readonly first: string
      readonly last: string
    }
  | ({ readonly type: 'accounts.changed' } & AccountsChange)
  | { readonly type: 'warning'; readonly pipeline: string; readonly message: string }
  /** Somebody could not be told of a problem. It is tried again. */
  | { readonly type: 'alarm.failed'; readonly message: string }
  | { readonly type: 'scheduler.stopped'; readonly reason: string }
