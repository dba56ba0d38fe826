import { UsageError } from '../model/errors.ts'
import type { RunEvent } from '../model/event.ts'
import type { MostDeletes } from '../model/mirror.ts'
import type { Duration } from '../model/request.ts'
import { duration, type DurationText } from '../value/duration.ts'
import { messageOf } from '../value/error.ts'
import { parseSize, type Size } from '../value/size.ts'

/** Limits of one transaction. The first one that is reached ends a batch. */
export interface BatchLimits {
  /** @default 10_000 */
  readonly rows?: number
  /** Size of the encoded rows. @default '8MB' */
  readonly bytes?: Size
  /** Time after the first page of the batch arrived. @default '2s' */
  readonly every?: Duration
}

export interface RunOptions {
  /** Address of the database, `postgres://…`. @default DATABASE_URL, else an embedded PostgreSQL in `.sluice/` */
  readonly database?: string | undefined
  /** Only these streams. @default all */
  readonly streams?: readonly string[] | undefined
  /** Read from the beginning: closes an interrupted read and ignores the cursor. @default false */
  readonly full?: boolean
  /** If another run is reading the same stream: skip the stream, wait for that run, or fail. @default 'fail' */
  readonly overlap?: 'skip' | 'wait' | 'fail'
  /**
   * The most rows that a complete reading of a table with `mirror` deletes, in this run: a number, or a share such as
   * `'25%'`. @default `mostDeletes` of the table
   */
  readonly mostDeletes?: MostDeletes | undefined
  /**
   * Adds to the report of each stream what it has cost the database: row versions, sizes and write-ahead log. Costs one
   * query before and after the stream, and one for each batch. @default false
   */
  readonly receipt?: boolean
  readonly batch?: BatchLimits
  /** Streams that are read at once. @default 8 */
  readonly concurrency?: number
  /** Decoded body text that all streams of this run may hold at once. @default '64MB' */
  readonly memory?: Size
  /** Variables with secrets and settings. @default process.env */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** Called with every event of the run. It must not throw, and the run does not wait for it. */
  readonly onEvent?: (event: RunEvent) => void
  /** Called with the error of each stream that fails. The report holds only its text. */
  readonly onStreamError?: (stream: string, error: unknown) => void
  /** Aborting it ends the run within 5 s. Complete batches are committed first. */
  readonly signal?: AbortSignal
}

export interface BackfillOptions extends Pick<
  RunOptions,
  'database' | 'batch' | 'memory' | 'environment' | 'onEvent' | 'onStreamError' | 'signal'
> {
  /** Only this stream. @default every stream of the pipeline that can be read in windows, one after the other */
  readonly stream?: string | undefined
  /** Start of the range: a day, which begins at midnight in the zone, or an instant. */
  readonly from: string
  /** End of the range; not included. */
  readonly to: string
  /** Length of a window: `1h`, `1d`, `1w`, `1mo`, `1y`, or several of one. @default '1d' */
  readonly window?: string | undefined
  /** The calendar that decides when a day begins, such as `Europe/Berlin`. @default 'UTC' */
  readonly zone?: string | undefined
  /** Windows that are read at once. @default 4 */
  readonly concurrency?: number
  /**
   * `failed`: only windows that failed. `missing`: skip windows that earlier backfills of the stream have done. `all`:
   * also windows that were skipped before.
   * @default windows that are neither done nor skipped
   */
  readonly only?: 'missing' | 'failed' | 'all' | undefined
  /** Only windows with these lower bounds, as `2024-01-31T00:00:00Z`; `only` applies to them. @default all windows */
  readonly onlyWindows?: readonly string[] | undefined
  /**
   * The most rows that each window of a table with `mirror` deletes: a number, or a share of its rows such as `'25%'`.
   * @default `mostDeletes` of the table
   */
  readonly mostDeletes?: MostDeletes | undefined
}

/** Former names of options, with the names that they have now. */
export const RENAMED_RUN_OPTIONS: Readonly<Record<string, string>> = { on: 'onEvent', failed: 'onStreamError' }

/** Defaults of the options of a run. */
export const DEFAULTS = Object.freeze({
  batch: Object.freeze({ rows: 10_000, bytes: 8 << 20, everyMs: 2_000 }),
  concurrency: 8,
  windows: 4,
  memory: 64 << 20,
})

/** The limits of a batch, in rows, bytes and milliseconds. */
export interface ResolvedBatch {
  readonly rows: number
  readonly bytes: number
  readonly everyMs: number
}

/** Returns the limits of a batch, with defaults for those that are missing. */
export function resolveBatch({ rows = DEFAULTS.batch.rows, bytes, every }: BatchLimits = {}): ResolvedBatch {
  if (typeof every === 'number')
    throw new UsageError(`batch.every is a duration with its unit, such as '2s' or '500ms', not ${String(every)}`)
  return {
    rows,
    bytes: bytes === undefined ? DEFAULTS.batch.bytes : parsed('batch.bytes', () => parseSize(bytes)),
    everyMs: every === undefined ? DEFAULTS.batch.everyMs : parsed('batch.every', () => duration(every)),
  }
}

/** Returns the bytes of the option `memory`. */
export const resolveMemory = (memory: Size | undefined): number =>
  memory === undefined ? DEFAULTS.memory : parsed('memory', () => parseSize(memory))

function parsed(option: string, parse: () => number): number {
  try {
    return parse()
  } catch (cause) {
    throw new UsageError(`${option}: ${messageOf(cause)}`, { cause })
  }
}

/** Options of `readStatus()`. */
export interface StatusOptions {
  /** Address of the database, `postgres://…`. @default DATABASE_URL, else the embedded PostgreSQL in `.sluice/` */
  readonly database?: string | undefined
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** Time after a tick until an unread stream is overdue. @default '5m' */
  readonly grace?: DurationText
  /** @default the present time */
  readonly now?: Date
  readonly signal?: AbortSignal | undefined
}
