import type { Counts } from './batch.ts'
import type { Completeness } from './completeness.ts'
import type { Status } from './report.ts'
import type { RunKind } from './slice.ts'
import type { WindowCounts } from './window.ts'

/** An event of a run. The report is made from events, and the CLI and the server show them. No event holds a secret. */
export type RunEvent =
  | {
      readonly type: 'run.started'
      readonly run: string
      readonly pipeline: string
      readonly streams: readonly string[]
      /** @default 'sync' */ readonly kind?: RunKind
    }
  /**
   * Backfills only, once for each stream, before its first window. `states` has one letter for each window, in order:
   * o open, d done, u done but not proven complete, f failed, s skipped. `toRead` is the number of windows that this
   * run will read.
   */
  | {
      readonly type: 'backfill.planned'
      readonly stream: string
      readonly backfill: string
      readonly from: string
      readonly to: string
      readonly window: string
      readonly zone: string
      readonly windows: WindowCounts
      readonly toRead: number
      readonly states: string
    }
  /**
   * A backfill adds the bounds of the window and its index, from 0. `slice.finished`, `slice.failed` and
   * `batch.committed` with the same `slice` belong to that window.
   */
  | {
      readonly type: 'slice.started'
      readonly stream: string
      readonly slice: string
      readonly resumed: boolean
      readonly since?: string | undefined
      readonly lower?: string
      readonly upper?: string
      readonly windowIndex?: number
    }
  /**
   * The number of pages that are left to read, if the API states it with the first page. Streams with children have no
   * such event.
   */
  | { readonly type: 'pages.total'; readonly stream: string; readonly pages: number }
  | {
      readonly type: 'request.finished'
      readonly stream: string
      readonly method: string
      readonly url: string
      readonly status: number
      readonly bytes: number
      readonly ms: number
    }
  | {
      readonly type: 'request.retried'
      readonly stream: string
      readonly attempt: number
      readonly reason: string
      readonly waitMs: number
    }
  /** A rule left out a page, or a child. `expected`: the rule says that the reading is complete without it. */
  | {
      readonly type: 'response.skipped'
      readonly stream: string
      readonly request: string
      readonly status: number
      readonly expected: boolean
    }
  | {
      readonly type: 'waiting'
      readonly stream: string
      readonly for: 'rate limit' | 'retry-after' | 'token' | 'memory' | 'lock' | 'database' | 'job'
      readonly ms: number
    }
  | {
      readonly type: 'batch.committed'
      readonly stream: string
      readonly slice: string
      readonly seq: number
      readonly pages: number
      readonly bytes: number
      readonly ms: number
      readonly counts: Counts
    }
  | { readonly type: 'table.altered'; readonly stream: string; readonly table: string; readonly change: string }
  | { readonly type: 'warning'; readonly stream?: string; readonly message: string }
  /** `completeness` is that of the whole slice. It is absent if it is not known, as of a replay. */
  | {
      readonly type: 'slice.finished'
      readonly stream: string
      readonly slice: string
      readonly counts: Counts
      readonly completeness?: Completeness
    }
  /** A window failed. The other windows continue. */
  | { readonly type: 'slice.failed'; readonly stream: string; readonly slice: string; readonly error: string }
  /** The stream has ended, whatever its status. Other streams of the run may still be read. */
  | {
      readonly type: 'stream.finished'
      readonly stream: string
      readonly status: Status
      readonly counts: Counts
      readonly ms: number
    }
  | { readonly type: 'stream.failed'; readonly stream: string; readonly error: string }
  | { readonly type: 'run.finished'; readonly run: string; readonly status: 'done' | 'failed' | 'interrupted' }
  /**
   * Once a second during a run, and at its end. Sums count from the start of the run. It is written to the ledger only:
   * a subscriber of all events can count them itself.
   */
  | RunGauge

/** One try of a request has ended; each redirect is one too. */
export type RequestFinished = Extract<RunEvent, { readonly type: 'request.finished' }>

/** The state of a run: sums so far, and what each stream waits for. */
export interface RunGauge {
  readonly type: 'gauge'
  /** Milliseconds since the start of the run. */
  readonly ms: number
  readonly memory: { readonly used: number; readonly limit: number; readonly waiting: number }
  /** The longest delay of the event loop since the last gauge, in milliseconds. */
  readonly loopMs: number
  readonly streams: Readonly<Record<string, StreamState>>
}

/** The thing that a stream waits for: a response, a limit, a refresh, memory, the database, a run, a job, its turn. */
export type WaitsFor = 'api' | 'rate limit' | 'retry-after' | 'token' | 'memory' | 'database' | 'lock' | 'job' | 'turn'

export interface StreamState {
  readonly requests: number
  /** Requests that are not finished, including those that wait for a rate limit or for memory. */
  readonly underWay: number
  readonly bytes: number
  readonly retries: number
  /** Milliseconds that all requests together waited for rate limits and Retry-After. */
  readonly waitMs: number
  readonly pages: number
  /** Pages that were read but not committed. */
  readonly ahead: number
  /** Records of all pages. `stored` counts those of committed pages. */
  readonly read: number
  readonly stored: number
  readonly rejected: number
  readonly batches: number
  /** Milliseconds in which at least one request was under way. */
  readonly apiMs: number
  /** Milliseconds of all transactions. */
  readonly databaseMs: number
  /** Null after the stream has ended. */
  readonly waitsFor: WaitsFor | null
}
