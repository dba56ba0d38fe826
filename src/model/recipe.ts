// A definition as data: the source of the records, the stages that change them, and the table that stores them.
import type { AccountColumn } from './account.ts'
import type { FieldCondition } from './condition-types.ts'
import type { Grade } from './completeness.ts'
import type { Position } from './page.ts'
import type { Format } from './format.ts'
import type { RecordsShape } from './records-shape.ts'
import type { TimeForm } from '../value/time-form.ts'
import type { Job } from './job.ts'
import type { MirrorOptions, MostDeletes } from './mirror.ts'
import type { Children, Flatten } from './nested.ts'
import type { Partitioning } from './partition.ts'
import type { Api, Delta, Duration, From, Paging, Range, Request } from './request.ts'

/** Five fields, as in `'0 * * * *'`. */
export type Cron = `${string} ${string} ${string} ${string} ${string}`

/** The times at which a scheduler runs a pipeline. */
export interface Schedule {
  readonly cron: Cron
  /** The time zone of the fields, such as `'Europe/Berlin'`. @default 'UTC' */
  readonly zone?: string
  /** The longest random delay of a start, so that not all clients call an API at the full hour. @default none */
  readonly jitter?: Duration
  /**
   * The ticks that are run after no scheduler was running: all that were missed, in order, the last one, or none.
   * @default 'last'
   */
  readonly catchUp?: CatchUp
  /**
   * The handling of a tick while the pipeline is still running: it is skipped, it waits, or it fails.
   * @default 'skip'
   */
  readonly overlap?: Overlap
}
/** Which missed ticks of a schedule run: all, the last one, or none. */
export type CatchUp = 'all' | 'last' | 'none'
/** What happens to a tick while the pipeline still runs: it is skipped, it waits, or it fails. */
export type Overlap = 'skip' | 'wait' | 'fail'

export interface Incremental {
  readonly at: From<never, unknown>
  readonly startFrom?: string | number | bigint
  /** Each run starts this much before the cursor. @default `DEFAULT_LOOKBACK` for times of rows that are merged */
  readonly lookback?: Duration | number
  /** A number counts seconds or milliseconds since 1970. */
  readonly unit?: 's' | 'ms'
  /** The form of its values, if they are times in another form than ISO 8601. */
  readonly time?: TimeForm
  /**
   * The order in which the API returns records. With an order, reading stops at the end of the range. @default 'any'
   */
  readonly order?: Order
  /** The longest range that one request may ask for. A run reads one such range after another. @default no limit */
  readonly step?: Duration
  /** Steps that are read at once. @default 1 */
  readonly concurrency?: number
  /** The list of each parent has a cursor of its own. For child streams. @default false */
  readonly perParent?: true
  /** Text that is no time and no number grows with each change of a record: nobody is warned of it. @default false */
  readonly grows?: true
}
export type Order = 'ascending' | 'descending' | 'any'

/** How far a run starts before a cursor that is a time, if rows are merged and the definition says nothing else. */
export const DEFAULT_LOOKBACK: Duration = '1m'

/** The file that a record names. */
export interface Download {
  /** The path of its URL in the record. */
  readonly at: string
  /** @default by the content type, or the name of the file */
  readonly format?: Format
  /** The place of the records in the file. */
  readonly records: string | RecordsShape
}

/** How a `flatMap` asks for the children of several records by one request. */
export interface Batching {
  /** The most records of one batch. */
  readonly size: number
  /** The reading is `open` if fewer records come than the batch has. */
  readonly expect?: 'each'
}

/** A user's function. The engine calls it with records of the type that the chain declares. */
export type Step<Result> = (record: never, signal: AbortSignal) => Result

/** The value that a `flatMap` makes of one record: a stream of its own, or a list of records. */
export type Child = { readonly recipe: Recipe } | Iterable<unknown>

export type Stage =
  | {
      readonly type: 'map'
      readonly fn: Step<unknown>
      readonly concurrency: number
      /** False passes records on as they complete, within a page. */ readonly ordered: boolean
    }
  | { readonly type: 'filter'; readonly fn: Step<boolean> }
  /** Takes out the records that the API announces as deleted. */
  | { readonly type: 'deleted'; readonly fn: Step<boolean> }
  | { readonly type: 'deleted'; readonly where: FieldCondition }
  /** Adds a field that is true where a record fits a condition, else false. */
  | { readonly type: 'flag'; readonly name: string; readonly where: FieldCondition }
  /** Makes a child stream or several records of each record. The returned value decides, record by record. */
  | {
      readonly type: 'flatMap'
      readonly fn: Step<Child | Promise<Child>>
      readonly concurrency: number
      /** It reads the file that each record names. */
      readonly download?: Download
      /** Its function is called with a list of records, and returns one stream for all of them. */
      readonly batch?: Batching
    }
  | { readonly type: 'tap'; readonly fn: Step<void | Promise<void>>; readonly concurrency: number }
  | { readonly type: 'validate'; readonly schema: StandardSchema<unknown> }
  | { readonly type: 'offload'; readonly module: string; readonly concurrency: number }
  | { readonly type: 'dedupe'; readonly by: readonly string[]; readonly last: number }
  | { readonly type: 'rename'; readonly from: string; readonly to: string }
  | { readonly type: 'pick' | 'omit'; readonly fields: readonly string[] }

export interface HttpSource {
  readonly api: Api
  /** The first request. If there is a job, it starts it. */
  readonly request: Request
  readonly paging: Paging<never>
  /** The last response holds a token with which the next run reads on. */
  readonly delta?: Delta<never>
  /** Children only: the body of the first page, which came with the parent. Further pages are requested. */
  readonly firstPage?: unknown
  /** The request is conditional: 304 means that nothing has changed since the last reading. */
  readonly ifChanged?: true
  /** The request starts a job of the API, and the records are its results. */
  readonly job?: Job
  /** The place of the records in the body; '' is the body itself. A shape makes them of something else than a list. */
  readonly records: From<never, readonly unknown[]> | RecordsShape
  /** A missing member on the way to the records is an empty page instead of an error. */
  readonly optional?: boolean
}

/** One page of a custom source. */
export interface OwnPage<T> {
  readonly records: readonly T[]
  /**
   * The position after this page, as JSON, committed together with the records. Pages without a position are committed
   * together with the next page that has one, or with the end. `{ end: true }` is reserved.
   */
  readonly position?: Position
  /**
   * What is known so far: `'counted'` if so many different records came as there are, `'ended'` if the source said that
   * nothing follows, `'open'` or `{ open: 'the reason' }` if records may be missing. The last word counts, and `open`
   * stays. @default 'ended' when the generator returns
   */
  readonly complete?: OwnCompleteness
}
/** What a custom source says about how sure it is that it has read everything. */
export type OwnCompleteness = Grade | { readonly open: string }

/** The argument of a custom source's generator. */
export interface ReadContext extends Range {
  /** The position at which the last run stopped, as the source gave it; undefined at the start. */
  readonly position?: Position | undefined
  /** Aborts when the run ends. Pass it to everything that waits. */
  readonly signal: AbortSignal
}
export type Read<T> = (context: ReadContext) => AsyncIterable<OwnPage<T>>

export interface Recipe {
  readonly source: HttpSource | { readonly read: Read<unknown> }
  readonly incremental?: Incremental
  readonly stages: readonly Stage[]
}

/** How rows are written: added, merged by key, merged with all versions of a row kept, or in place of all rows. */
export type WriteMode = 'append' | 'merge' | 'history' | 'replace'

/** True if a row that is read again is compared with the stored row of its key, and left alone if it is equal. */
export const isMerged = ({ write }: Pick<Table, 'write'>): boolean => write === 'merge' || write === 'history'

/** A column's SQL type, or `false` to leave it out. */
export type ColumnDeclaration = string | false | ColumnOptions

export interface ColumnOptions {
  /** Without a type, the column takes its type from the data. */
  readonly type?: string
  /** Accept values that the column rounds or cuts. */
  readonly round?: boolean
  readonly emptyText?: EmptyText
  /** The time zone of times without an offset, such as `'Europe/Berlin'`. For timestamptz. */
  readonly zone?: string
  /** The form of its times, if it is another than ISO 8601. For timestamptz and date. */
  readonly time?: TimeForm
}

/**
 * What becomes of a reading that is `open`: with `required` it fails, its cursor stays, and the next run reads it from
 * its start again; with `any` it ends, with a warning, and is a notice of
 * `sluice status`, not a problem.
 */
export type Complete = 'required' | 'any'

/** What a field that a record does not have does to the stored value: it becomes null, or it stays. */
export type Absent = 'null' | 'keep'

/** The meaning of the text `''`: it is null, or a text like others. */
export type EmptyText = 'null' | 'keep'

/**
 * What becomes of the row of a record that is deleted: it is deleted too, its column `_deleted_at` is set, or it stays
 * as it is.
 */
export type DeletedRows = 'delete' | 'mark' | 'keep'

export interface Table {
  /** Schema and table, `'billing.customers'`. */
  readonly name: string
  /** Names of the record's fields; their columns are the same names in snake_case. */
  readonly key: readonly string[]
  /** The column that separates the rows of several accounts. It comes before the key. */
  readonly account?: AccountColumn
  readonly write: WriteMode
  /** The field that says which of two rows is newer. */
  readonly versionBy?: string
  /**
   * True if `versionBy` is not declared but is the cursor's field. Rows without this field (a stage may have removed
   * it) then have no version.
   */
  readonly isVersionOptional?: boolean
  /** The reaction to a new field or a wider type. @default 'evolve' */
  readonly onSchemaChange: 'evolve' | 'freeze' | 'reject'
  readonly columns: Readonly<Record<string, ColumnDeclaration | undefined>>
  /** The meaning of `''` in columns outside the key. @default 'keep' */
  readonly emptyText?: EmptyText
  /** Add `_loaded_at`, the time when the row last changed. @default false */
  readonly loadedAt: boolean
  /** For `history`, in a replay: a key that has a row keeps it. @default false */
  readonly keepsStored?: boolean
  /** Fields whose members become columns of their own, as fields such as `address.city`. @default none */
  readonly flatten?: Flatten
  /** For `merge`: lists that are stored in tables of their own. @default none */
  readonly children?: Children
  /** Add `_run`, `_first_seen` and `_source_url`, which say where each row comes from. @default false */
  readonly lineage?: boolean
  /** For `merge`: what a field that a record does not have does to the stored value. @default 'null' */
  readonly absent?: Absent
  /** For `merge`: fields whose columns are set when a row is inserted, and never again. @default none */
  readonly insertOnly?: readonly string[]
  /** For `merge`: fields whose columns are written with others, and alone do not make a row differ. @default none */
  readonly ignoreChanges?: readonly string[]
  /** For `replace`: a source without records may empty the table. @default false: it fails */
  readonly allowEmpty: boolean
  /** The table may be one that Sluice did not create: it is altered, and its rows are replaced. @default false */
  readonly adopt?: boolean
  /** What becomes of views that use a column whose type has to change. @default 'keep': the change fails */
  readonly views?: 'keep' | 'recreate'
  /** The jsonb column of fields for which the table has no room, and how many columns it has. @default none */
  readonly overflow?: { readonly column: string; readonly columns: number }
  /** Indexes besides the one of the key, built after rows were loaded. @default none */
  readonly indexes?: readonly TableIndex[]
  /** For `merge` and `append`: a new table is divided by time. @default one piece */
  readonly partition?: Partitioning
  /** Most rejected records of one slice. @default 100 */
  readonly maxRejects: number
  /** An interrupted slice that is older restarts. @default '24h' */
  readonly resumeWithin: Duration
  /** @default a warning; 'required' for `replace`, which deletes what was not read */
  readonly complete?: Complete
  /** What becomes of the rows of deleted records. @default 'delete' */
  readonly deleted?: DeletedRows
  /** How long deleted rows can be brought back; false keeps none. @default '7d' */
  readonly undo?: Duration | false
  /** For `merge`: a complete reading deletes the rows that it did not bring. @default they stay */
  readonly mirror?: MirrorOptions
  /** The most rows that one reading of a mirror deletes. @default 10 %, in small tables 10 rows */
  readonly mostDeletes?: MostDeletes
}

/** An index of a table. */
export interface TableIndex {
  /** Names of the records' fields, in the order of the index. */
  readonly on: readonly string[]
  /** @default 'btree' */
  readonly using?: 'btree' | 'hash' | 'gin' | 'gist' | 'brin'
  /** SQL: only rows for which it is true are in the index. @default all rows */
  readonly where?: string
}

/** The part of https://standardschema.dev that Sluice uses. zod, valibot and arktype implement it. */
export interface StandardSchema<Out> {
  readonly '~standard': {
    readonly vendor: string
    readonly validate: (value: unknown) => Validated<Out> | Promise<Validated<Out>>
    readonly types?: { readonly input: unknown; readonly output: Out } | undefined
  }
}
type Validated<Out> =
  | { readonly value: Out; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string; readonly path?: readonly unknown[] | undefined }[] }
