/** What a scheduler does, as it does it. Moments are ISO 8601, in UTC. */
export type ScheduleEvent =
  | {
      readonly type: 'scheduler.started'
      readonly pipelines: readonly { readonly pipeline: string; readonly schedule: string; readonly next: string }[]
    }
  | {
      readonly type: 'tick.started'
      readonly pipeline: string
      readonly tick: string
      /** On time, or made up for. */ readonly late: boolean
    }
  | {
      readonly type: 'tick.finished'
      readonly pipeline: string
      readonly tick: string
      readonly status: 'done' | 'failed' | 'interrupted' | 'skipped'
      /** Where it could begin. */
      readonly run?: string
      readonly ms: number
      readonly fetched: number
      /** Inserted and updated. */
      readonly stored: number
      readonly rejected: number
      readonly error?: string
    }
  /** Without a run: the pipeline was still running. */
  | {
      readonly type: 'tick.skipped'
      readonly pipeline: string
      readonly tick: string
      readonly status: 'skipped' | 'failed'
      readonly reason: string
    }
  /** Nobody was there for them, and they are not caught up. */
  | {
      readonly type: 'ticks.missed'
      readonly pipeline: string
      readonly count: number
      readonly first: string
      readonly last: string
    }
  | { readonly type: 'warning'; readonly pipeline: string; readonly message: string }
  | { readonly type: 'scheduler.stopped'; readonly reason: string }
