import type { Completeness } from '../../model/completeness.ts'
import type { LedgerSize } from '../../ledger/read/ledger-size.ts'
import type { WaitSource } from '../../ledger/read/read-waits.ts'
import type { StreamRun } from '../../ledger/read/read-streams.ts'

/** The status of pipelines at one moment. Instants are ISO 8601, so that it can be sent as JSON. */
export interface StatusReport {
  readonly at: string
  /** True if no finding is a fault. */
  readonly ok: boolean
  readonly streams: readonly StreamStatus[]
  readonly findings: readonly StatusFinding[]
  /** What the APIs asked all pipelines to wait for, the longest first. */
  readonly waits: readonly StatusWait[]
  /** The workers of `sluice worker`, and what waits for them. Absent if none lives and nothing waits. */
  readonly work?: StatusWork
  /** How large the ledger is. Absent before the first run. */
  readonly ledger?: LedgerSize
}

/** The workers that are alive, whatever pipelines they have, and the pieces of work that wait for one. */
export interface StatusWork {
  /** The oldest first. */
  readonly workers: readonly StatusWorker[]
  /** By pipeline. Absent if the user of the database may not read the schema of the jobs. */
  readonly waiting?: readonly StatusWaiting[]
}

/** A process of `sluice worker`. */
export interface StatusWorker {
  readonly worker: string
  readonly host: string
  readonly pid: number
  /** Pieces of work that it does at once. */
  readonly concurrency: number
  /** It was asked to end, and takes no more work. */
  readonly isDraining: boolean
  readonly startedAt: string
  readonly seenAt: string
  /** What it does now, the oldest first. */
  readonly pieces: readonly {
    readonly run: string
    readonly pipeline: string
    readonly stream: string
    /** If it is a window of a backfill. */
    readonly window?: { readonly from: string; readonly to: string }
    /** When its reading began, also if another worker began it. */
    readonly since: string
  }[]
}

/** The pieces of work that wait for one version of a pipeline. */
export interface StatusWaiting {
  readonly pipeline: string
  readonly version: string
  readonly pieces: number
  /** Since when the oldest one has waited. */
  readonly since: string
  /** The workers that take it. None: it waits for a version that no worker has. */
  readonly workers: readonly string[]
}

/** A time in which no request is sent to an API, or to one of its paths. */
export interface StatusWait {
  /** The origin of the API. */
  readonly api: string
  /** Null is the whole API. `{}` stands for any value. `GET /users` is an endpoint with limits of its own. */
  readonly path: string | null
  readonly until: string
  /** The response that asked for it, and the run that received it; null if they are not known. */
  readonly source: WaitSource | null
}

/** The status of one stream. */
export interface StreamStatus {
  readonly pipeline: string
  readonly stream: string
  readonly table: string
  /** Status of the last run that read the stream. */
  readonly state: 'never ran' | StreamRun['status']
  /** The last run that read the stream to its end. */
  readonly lastSuccess?: { readonly run: string; readonly at: string; readonly ageMs: number }
  /** How sure it is that the last reading that came to its end has read everything. Absent if it is not known. */
  readonly completeness?: Completeness
  /** Readings and windows that may have missed records, and that no later reading covers. */
  readonly openReadings: number
  readonly cursor?: {
    readonly value: string
    readonly movedAt: string
    /** Milliseconds from the cursor to now. Only if the cursor is a time. */
    readonly ageMs?: number
  }
  /** Newest first. An interrupted read that another run has finished counts as a part of that run. */
  readonly runs: readonly LastRun[]
  /** The number of rejects that wait for a replay. */
  readonly rejects: number
  /** A read that has not reached its end. */
  readonly open?: {
    readonly slice: string
    readonly run: string
    /** True while a run reads it. */ readonly isHeld: boolean
    readonly since: string
    readonly error?: string
  }
  /** A person has paused it: it is not read until it is continued. */
  readonly paused?: { readonly by: string; readonly at: string; readonly why?: string }
  readonly lastError?: { readonly run: string; readonly at: string; readonly error: string }
  /** The schedule as `sluice list` shows it. */
  readonly schedule?: string
  readonly next?: string
  /** The tick after which the stream should have been read to its end. */
  readonly overdueSince?: string
}

export interface LastRun {
  readonly run: string
  readonly status: StreamRun['status']
  readonly startedAt: string
  /** The number of records and parents. */
  readonly read: number
  /** The number of inserted and updated rows. */
  readonly stored: number
  /** Records that the API announced as deleted. */
  readonly deleted: number
  readonly rejected: number
  /** Absent if it is not known, and while the run reads. */
  readonly completeness?: Completeness
}

/** A problem or a notice. With a fault, `sluice status` exits with 1. */
export interface StatusFinding {
  readonly kind:
    | 'overdue'
    | 'never ran'
    | 'never succeeded'
    | 'failed'
    | 'interrupted'
    | 'nothing read'
    | 'cursor stands still'
    | 'values lost'
    | 'key not unique'
    | 'tick failed'
    | 'not started'
    | 'account'
    | 'windows failed'
    | 'open readings'
    | 'open windows'
    | 'deleted'
    | 'rejects'
    | 'waiting'
    | 'paused'
  readonly isFault: boolean
  readonly pipeline: string
  /** Undefined for a finding of the whole pipeline. */
  readonly stream?: string
  readonly message: string
}
