import type { Counts } from './batch.ts'
import type { Status } from './report.ts'
import type { RunKind } from './slice.ts'
import type { WindowCounts } from './window.ts'

/** What happened, as it happens; `run` gathers these into the report, and others show them. No event holds a secret. */
export type RunEvent =
  | {
      readonly type: 'run.started'
      readonly run: string
      readonly pipeline: string
      readonly streams: readonly string[]
      /** @default 'sync' */ readonly kind?: RunKind
    }
  /**
   * Of a backfill, once for each stream before its first window: `states` holds a letter for each window in their
   * order, o open, d done, f failed, s left out; `toRead` is how many this run will read.
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
   * Of a backfill with the window's bounds, and its place among the windows, from 0; `slice finished`, `slice failed`
   * and `batch` of the same `slice` are that window's.
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
   * How many pages a reading will have from here on, where its API says so with the first of them; of a stream without
   * children.
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
  | {
      readonly type: 'waiting'
      readonly stream: string
      readonly for: 'rate limit' | 'retry-after' | 'memory' | 'lock' | 'database'
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
  | { readonly type: 'slice.finished'; readonly stream: string; readonly slice: string; readonly counts: Counts }
  /** A window failed; the others go on. */
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
   * Once a second while a run goes on, and at its end; sums since its beginning. Only in the ledger: whoever is told
   * all events can count them.
   */
  | RunGauge

/** How a run stands: what it has done so far, and what holds each of its streams up. */
export interface RunGauge {
  readonly type: 'gauge'
  /** Since its beginning. */
  readonly ms: number
  readonly memory: { readonly used: number; readonly limit: number; readonly waiting: number }
  /** By how much the event loop was late, at most, since the last gauge. */
  readonly loopMs: number
  readonly streams: Readonly<Record<string, StreamState>>
}

/** What a stream waits for: answers, permission to ask, room for them, the database, another run, or its turn. */
export type WaitsFor = 'api' | 'rate limit' | 'retry-after' | 'memory' | 'database' | 'lock' | 'turn'

export interface StreamState {
  readonly requests: number
  /** Requests on their way, those included that wait for permission or room. */
  readonly underWay: number
  readonly bytes: number
  readonly retries: number
  /** Waited for rate limits and Retry-After, by all requests together. */
  readonly waitMs: number
  readonly pages: number
  /** Pages that were read and are not committed. */
  readonly ahead: number
  /** Records of all pages, and of the committed ones. */
  readonly read: number
  readonly stored: number
  readonly rejected: number
  readonly batches: number
  /** While at least one request was on its way. */
  readonly apiMs: number
  /** Of all transactions. */
  readonly databaseMs: number
  /** Null when it has ended. */
  readonly waitsFor: WaitsFor | null
}
