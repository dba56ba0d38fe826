import type { Counts } from './batch.ts'
import type { WindowCounts } from './window.ts'

export type Status = 'done' | 'failed' | 'interrupted' | 'not run'

/** What became of one stream. The counts are the ledger's, not the process's. */
export interface StreamReport {
  readonly status: Status
  readonly table: string
  readonly counts: Counts
  /** For `replace`: what the swap did to the table. */
  readonly swap?: { readonly inserted: number; readonly updated: number; readonly deleted: number }
  /** Where reading began; undefined: at the very beginning. */
  readonly since?: string | undefined
  /** The cursor after the run. */
  readonly cursor?: string | undefined
  /** An interrupted reading was finished. */
  readonly resumed: boolean
  readonly requests: number
  readonly retries: number
  /** Waited for rate limits and Retry-After. */
  readonly waitMs: number
  readonly batches: number
  readonly bytes: number
  readonly ms: number
  readonly warnings: readonly string[]
  /** Of a backfill: its number, its range and its windows after the run; `counts` are this run's. */
  readonly backfill?:
    | {
        readonly id: string
        readonly from: string
        readonly to: string
        readonly window: string
        readonly zone: string
        readonly windows: WindowCounts
      }
    | undefined
  /** Place, fault and remedy, where it failed. */
  readonly error?: string | undefined
}

/** What happened, by the names that the pipeline gave its streams. */
export interface Report<Name extends string = string> {
  readonly run: string
  readonly pipeline: string
  readonly kind: 'sync' | 'backfill' | 'replay'
  readonly status: Exclude<Status, 'not run'>
  readonly startedAt: string
  readonly ms: number
  readonly streams: { readonly [Stream in Name]: StreamReport }
  readonly rowsPerSecond: number
  /** Bytes of write-ahead log that the database wrote meanwhile; others' included. */
  readonly walBytes?: number | undefined
  /** The process's high-water mark of resident memory. */
  readonly peakMemoryBytes: number
}
