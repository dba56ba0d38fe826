import type { RunEvent } from '../model/event.ts'

/** How much one transaction stores; whichever is reached first. */
export interface BatchLimits {
  /** @default 10_000 */
  readonly rows?: number
  /** Of encoded rows. @default 8_388_608 */
  readonly bytes?: number
  /** Milliseconds after the first page of a batch arrived. @default 2_000 */
  readonly every?: number
}

export interface RunOptions {
  /** Where the tables are, as `postgres://…`. @default DATABASE_URL, else an embedded PostgreSQL kept in `.sluice/` */
  readonly database?: string | undefined
  /** Only these streams. @default all */
  readonly streams?: readonly string[] | undefined
  /**
   * Read from the very beginning: closes an interrupted reading and leaves the cursor out of account. @default false
   */
  readonly full?: boolean
  /** What to do where another run is reading the same stream: leave it out, wait for it, or fail. @default 'fail' */
  readonly overlap?: 'skip' | 'wait' | 'fail'
  readonly batch?: BatchLimits
  /** Streams that are read at once. @default 8 */
  readonly concurrency?: number
  /** Decoded body text that may be held at once, in bytes, by all streams of this run. @default 67_108_864 */
  readonly memory?: number
  /** Where secrets and settings are looked up. @default process.env */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** Called with everything that happens; it must not throw, and the run does not wait for it. */
  readonly onEvent?: (event: RunEvent) => void
  /** Called with what a stream failed with, the error itself: the report has its message only. */
  readonly onStreamError?: (stream: string, error: unknown) => void
  /** Aborting it ends the run within seconds: what is whole is committed first. */
  readonly signal?: AbortSignal
}

/** What a run falls back to. */
export const defaults = Object.freeze({
  batch: Object.freeze({ rows: 10_000, bytes: 8 << 20, every: 2_000 }),
  concurrency: 8,
  windows: 4,
  memory: 64 << 20,
})

export interface BackfillOptions extends Pick<
  RunOptions,
  'database' | 'batch' | 'memory' | 'environment' | 'onEvent' | 'onStreamError' | 'signal'
> {
  /** Only this stream. @default each of the pipeline that can be read in windows, one after the other */
  readonly stream?: string | undefined
  /** Where the range begins: a day, which begins at midnight in the zone, or a moment. */
  readonly from: string
  /** Where it ends; not included. */
  readonly to: string
  /** How long a window is: `1h`, `1d`, `1w`, `1mo`, `1y`, or several of one. @default '1d' */
  readonly window?: string | undefined
  /** Whose calendar says when a day begins, as `Europe/Berlin`. @default 'UTC' */
  readonly zone?: string | undefined
  /** Windows that are read at once. @default 4 */
  readonly concurrency?: number
  /**
   * `failed`: only windows that failed. `missing`: leave out windows that earlier backfills of the stream have done.
   * `all`: what was left out before, too.
   * @default what is not done, but for what was left out before
   */
  readonly only?: 'missing' | 'failed' | 'all' | undefined
  /** Only windows with these lower bounds, as `2024-01-31T00:00:00Z`; `only` applies to them. @default all windows */
  readonly onlyWindows?: readonly string[] | undefined
}
