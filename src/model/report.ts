import type { Counts, CountsOfChildren } from './batch.ts'
import type { Completeness } from './completeness.ts'
import type { WindowCounts } from './window.ts'

export type Status = 'done' | 'failed' | 'interrupted' | 'not run'

/**
 * What a stream has cost the database. Row versions are those that its transactions have written to its table and to
 * the tables of its nested lists: for a history also the ends of earlier versions, for a batch that was bisected also
 * those that were rolled back to a savepoint.
 */
export interface StreamReceipt {
  readonly inserted: number
  readonly updated: number
  /** Those of the updates that changed no index. */
  readonly hotUpdated: number
  readonly deleted: number
  /** Row versions that vacuum has to remove: one for each update and each deletion. */
  readonly dead: number
  readonly tableBytes: { readonly before: number; readonly after: number }
  readonly indexBytes: { readonly before: number; readonly after: number }
  /** Bytes of write-ahead log of the whole server while the stream ran, including other streams and other clients. */
  readonly serverWalBytes: number
}

/** The result of one stream. Its counts come from the ledger, not from the process. */
export interface StreamReport {
  readonly status: Status
  readonly table: string
  readonly counts: Counts
  /** For `replace`: what the swap did to the table. */
  readonly swap?: { readonly inserted: number; readonly updated: number; readonly deleted: number }
  /**
   * For a table with `mirror`, after a complete reading of everything: the rows that it did not bring and that were
   * deleted, or marked. Undefined if the reading could not say which rows are gone.
   */
  readonly mirroredRows?: number
  /** What the run did to the tables of nested lists, by table. Absent if the stream has none. */
  readonly children?: CountsOfChildren
  /**
   * For `merge`, after a full reading: rows of the table that it did not bring. They are kept. Undefined if they were
   * not counted: the table has more than 128 MB, or other streams write to it. A record that came twice counts twice.
   */
  readonly keptRows?: number | undefined
  /** What became of the rows of records that are gone. Absent if none is, or if they stay. */
  readonly deletedRows?: 'deleted' | 'marked' | 'ended'
  /** The cursor at which reading started. Undefined if the stream was read from its start. */
  readonly since?: string | undefined
  /** The cursor after the run. */
  readonly cursor?: string | undefined
  /** True if the run continued an interrupted slice. */
  readonly resumed: boolean
  readonly requests: number
  readonly retries: number
  /** Pages and children that rules with the action `skip` left out. Absent if there was none. */
  readonly skipped?: number | undefined
  /** Milliseconds of waiting for rate limits and Retry-After. */
  readonly waitMs: number
  readonly batches: number
  readonly bytes: number
  readonly ms: number
  readonly warnings: readonly string[]
  /** Of the slices that the run has read to their end, the worst. Absent if it is not known, as of replays. */
  readonly completeness?: Completeness
  /** What it has cost the database. Absent without the option `receipt`, and if nothing was written. */
  readonly receipt?: StreamReceipt
  /** Backfills only: id, range and window counts after the run. `counts` covers this run. */
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
  /** If the stream failed: location, problem and remedy. */
  readonly error?: string | undefined
}

/** The result of a run. `streams` has a member for each stream, by its name in the pipeline. */
export interface Report<Name extends string = string> {
  readonly run: string
  readonly pipeline: string
  /** The account, if the pipeline has several. `pipeline` is then `shops@north`. */
  readonly account?: string | undefined
  readonly kind: 'sync' | 'backfill' | 'replay'
  readonly status: Exclude<Status, 'not run'>
  readonly startedAt: string
  readonly ms: number
  readonly streams: { readonly [Stream in Name]: StreamReport }
  readonly rowsPerSecond: number
  /** Bytes of write-ahead log that the database wrote during the run, including those of other clients. */
  readonly walBytes?: number | undefined
  /** The peak of resident memory of the process. */
  readonly peakMemoryBytes: number
}

/** The result of the accounts of a pipeline that has several. */
export interface AccountsReport<Name extends string = string> {
  readonly pipeline: string
  /** `failed` if an account has failed or could not start. */
  readonly status: Report['status']
  /** The report of each account that has started. */
  readonly accounts: { readonly [account: string]: Report<Name> }
  /** The error of each account that could not start, such as for a secret that is missing. */
  readonly notStarted: { readonly [account: string]: string }
  /** The accounts that were not run because they are paused, with who and why. Absent if none is. */
  readonly paused?: { readonly [account: string]: string }
}
