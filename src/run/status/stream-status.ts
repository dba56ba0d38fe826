import type { StreamRun } from '../../ledger/read/read-streams.ts'

/** How all is, at one moment. All moments are ISO 8601, so that it can be sent as it is. */
export interface StatusReport {
  readonly at: string
  /** Nothing in `findings` is a fault. */
  readonly ok: boolean
  readonly streams: readonly StreamStatus[]
  readonly findings: readonly StatusFinding[]
}

/** How one stream is. */
export interface StreamStatus {
  readonly pipeline: string
  readonly stream: string
  readonly table: string
  /** Of the last run that read it. */
  readonly state: 'never ran' | StreamRun['status']
  /** When it was last read to its end, and by which run. */
  readonly lastSuccess?: { readonly run: string; readonly at: string; readonly ageMs: number }
  readonly cursor?: {
    readonly value: string
    readonly movedAt: string
    /** Where the cursor is a time: how long ago that was. */
    readonly ageMs?: number
  }
  /** The newest first; those of an interrupted reading that another run has finished are told with that one. */
  readonly runs: readonly LastRun[]
  /** Not replayed yet. */
  readonly rejects: number
  /** A reading that has not come to its end. */
  readonly open?: {
    readonly slice: string
    readonly run: string
    /** Somebody is reading it now. */ readonly isHeld: boolean
    readonly since: string
    readonly error?: string
  }
  readonly lastError?: { readonly run: string; readonly at: string; readonly error: string }
  /** As `sluice list` shows it. */
  readonly schedule?: string
  readonly next?: string
  /** The tick after which it should have succeeded. */
  readonly overdueSince?: string
}

export interface LastRun {
  readonly run: string
  readonly status: StreamRun['status']
  readonly startedAt: string
  /** Records and parents. */
  readonly read: number
  /** Inserted and updated. */
  readonly stored: number
  readonly rejected: number
}

/** What somebody should know. A fault makes `sluice status` end with 1. */
export interface StatusFinding {
  readonly kind:
    | 'overdue'
    | 'never ran'
    | 'never succeeded'
    | 'failed'
    | 'interrupted'
    | 'nothing read'
    | 'cursor stands still'
    | 'tick failed'
    | 'windows failed'
    | 'rejects'
  readonly isFault: boolean
  readonly pipeline: string
  /** Undefined: the pipeline as a whole. */
  readonly stream?: string
  readonly message: string
}
