import type { MostDeletes } from '../../model/mirror.ts'
import type { ChildList, FlattenOptions } from '../../model/nested.ts'
import type { PartitionLength } from '../../model/partition.ts'
import type { FieldOf } from '../../model/path.ts'
import type {
  Absent,
  ColumnDeclaration,
  ColumnOptions,
  Complete,
  DeletedRows,
  EmptyText,
  Table,
  TableIndex,
} from '../../model/recipe.ts'
import type { Duration } from '../../model/request.ts'
import type { ColumnType } from './column-type.ts'
import type { TimeColumn } from './time.ts'

/** Values that no column can store. Objects and arrays are stored as jsonb. */
type Unstorable =
  | ((...args: never) => unknown)
  | Promise<unknown>
  | symbol
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>
type UnstorableField<Row> = {
  [Field in keyof Row & string]: Extract<Row[Field], Unstorable> extends never ? never : Field
}[keyof Row & string]

/** Schema and table; or, if the records cannot be rows, the reason as the compiler's message. */
export type TableName<Row> = unknown extends Row
  ? `${string}.${string}`
  : Row extends object
    ? [UnstorableField<Row>] extends [never]
      ? `${string}.${string}`
      : `the field '${UnstorableField<Row>}' holds what no column can store`
    : 'a row must be an object with named fields: map each record to one'

/** Names of fields that are never null and compare by value. Columns have these names in snake_case. */
export type KeyOf<Row> = unknown extends Row
  ? string
  : [Row] extends [object]
    ? {
        [Field in keyof Row & string]-?: Row[Field] extends string | number | bigint | boolean | Date ? Field : never
      }[keyof Row & string]
    : never

/** `evolve` adds columns and widens types, `freeze` fails the stream, `reject` rejects the record. */
export type SchemaPolicy = Table['onSchemaChange']

/**
 * Options of `.into()`.
 *
 * @example
 * customers.into('billing.customers', { key: 'id', versionBy: 'updated', columns: { total: 'numeric(12,2)' } })
 */
export type TableOptions<Row, Write> = {
  /**
   * `merge` inserts and updates by key, `append` only inserts, `replace` swaps all rows of the table. `history` merges,
   * and keeps each version of a row with the times from and to which it was valid; the view `TABLE_current` has the
   * current rows. `append` without
   * a key compares records at the cursor with those of the last run: by their content and, for children, by the
   * requests that lead to them. These requests must therefore not contain values such as the present time.
   * @default 'merge'
   */
  write?: Write
  /**
   * The field that decides between two rows with one key: the row with the greater value stays. For `history` it is a
   * time, from which a version is valid; without it, a version is valid from when it was loaded. @default the field of
   * `.incremental()`, if rows have it
   */
  versionBy?: FieldOf<Row>
  /**
   * Types of columns by field: a type, `false` to leave the field out, or a type with options. `round: true` stores
   * values that the column rounds or cuts. `emptyText: 'null'` reads `''` as null; it needs no type. `zone` is the time
   * zone of times without an offset, such as `'Europe/Berlin'`. `time('unix')` is a time in another form than ISO
   * 8601. A word alone is `onSchemaChange`. @default 'evolve'
   */
  columns?:
    | SchemaPolicy
    | ({
        readonly [Field in keyof Row]?:
          | ColumnType<NonNullable<Row[Field]>>
          | false
          | (Omit<ColumnOptions, 'type'> & { readonly type: ColumnType<NonNullable<Row[Field]>> })
          | { readonly emptyText: EmptyText }
          | (NonNullable<Row[Field]> extends string | number | bigint | Date ? TimeColumn : never)
      } & { readonly [member: `${string}.${string}`]: ColumnDeclaration })
  /**
   * The meaning of the text `''` in all columns outside the key: `'null'`, or `'keep'`. A column's own word decides.
   * @default 'keep'
   */
  emptyText?: EmptyText
  /** The reaction to a new field or a wider type. @default 'evolve' */
  onSchemaChange?: SchemaPolicy
  /** Add the column `_loaded_at`, the time when the row last changed. @default false */
  loadedAt?: boolean
  /**
   * For `merge`: what a field that a record does not have does to the stored value. With `'null'` the column becomes
   * null. With `'keep'` the stored value stays, and a field that is null still becomes null. A field that a stage has
   * set to `undefined` is one that the record does not have. @default 'null'
   */
  absent?: Absent
  /** For `merge`: fields whose columns are set when the row is inserted, and never again, such as `['created_by']`. */
  insertOnly?: MemberOf<Row> | readonly MemberOf<Row>[]
  /**
   * For `merge`: fields that never count as a change, such as `['views']`. They are written when another column of the
   * row changes. If nothing else has changed, the row stays as it is and counts as unchanged.
   */
  ignoreChanges?: MemberOf<Row> | readonly MemberOf<Row>[]
  /**
   * Add columns that say where a row comes from: `_run`, the run that wrote it last, `_first_seen`, when it was
   * inserted, and `_source_url`, the URL that its record came from, without credentials. A row that has not changed is
   * not written, so there is no time at which it was last seen. For `merge` and `append`. @default false
   */
  lineage?: boolean
  /**
   * Objects whose members become columns of their own: `{ address: true }` makes `address_city` of `address: { city }`,
   * and `{ address: { prefix: 'ship', depth: 2 } }` makes `ship_city` and `ship_geo_lat`. What is not named,
   * lies deeper or is a list stays jsonb. Other options name such a member `'address.city'`. @default none
   */
  flatten?: { readonly [Field in RowField<Row>]?: true | FlattenOptions }
  /**
   * For `merge`: what becomes of the row of a record that `.deleted()` finds to be deleted. `'delete'` deletes it, and
   * the ledger keeps it for `undo`. `'mark'` sets its column `_deleted_at`, which is null
   * again once the record comes back. `'keep'` leaves it. A deletion that is older than the row, by `versionBy`,
   * changes nothing. @default 'delete'
   */
  deleted?: DeletedRows
  /** How long `sluice undelete` can put deleted rows back; the ledger keeps them. False keeps none. @default '7d' */
  undo?: Duration | false
  /**
   * For `merge`: a reading of everything that was complete deletes the rows that it did not bring, or marks them, as
   * `deleted` says: their records no longer exist. A stream with a cursor reads everything in its first run and with
   * `--full`. Rows that other streams have stored in the table are an error, unless `rowsOf` names these streams. The
   * `parent: { orderId: 'id' }` of lists below parents: each list that was read whole loses its rows. The
   * ledger keeps deleted rows for `undo`, and `sluice undelete` puts them back. @default false: they stay
   */
  mirror?:
    | boolean
    | { readonly rowsOf?: string | readonly string[]; readonly parent?: { readonly [Field in RowField<Row>]?: string } }
  /**
   * The most rows that one reading of a mirror deletes: a number, or a share such as `'25%'`. With more, the stream
   * fails and deletes nothing; `--most-deletes` allows it once. @default 10 % of the rows, and in small tables 10 rows,
   * but fewer than half
   */
  mostDeletes?: MostDeletes
  /**
   * For `merge`: lists that are stored in tables of their own, in the same transaction: `{ lines: { key: 'line' } }`
   * stores the entries of `lines` in the table with `_lines` behind its name, with the key of the record. Entries that
   * the record no longer has are deleted. @default none: a list is jsonb
   */
  children?: { readonly [Field in RowField<Row>]?: ChildList }
  /** For `replace`: a source without records empties the table. @default false: it fails */
  allowEmpty?: boolean
  /**
   * The table may be one that Sluice did not create: columns are added and widened in it, and `replace` deletes its
   * rows. Without it, such a table only receives rows that fit. @default false
   */
  adopt?: boolean
  /**
   * What becomes of views that use a column whose type has to change, which PostgreSQL does not allow. `'recreate'`
   * drops them and makes them again as they are, with their rights, owners, comments and indexes, in the transaction
   * that changes the type. `sluice check` shows the statements first. @default 'keep': the stream fails
   */
  views?: 'keep' | 'recreate'
  /**
   * The name of a jsonb column for fields that have no room in the table, such as `'rest'`: a table in PostgreSQL has
   * at most 1,600 columns. `{ column: 'rest', columns: 200 }` also says how many columns the table has at most; key,
   * version and declared fields always have theirs. @default none: such a page is an error, and 1,590 columns
   */
  overflow?: string | { readonly column: string; readonly columns?: number }
  /**
   * Indexes besides the one of the key: a field, a list of fields, or `{ on, using, where }`. An index that the table
   * lacks is built once rows were loaded, which takes a fraction of the time. `where` is a condition in SQL. An index
   * that is left out here later stays. @default none
   */
  indexes?: readonly IndexOption<Row>[]
  /**
   * For `merge` and `append`: a new table is divided by the time in a field, `{ by: 'created', every: '1mo' }`, into
   * partitions of days (`'1d'`), weeks from Monday (`'1w'`), months or years (`'1y'`) of UTC. They are made as records
   * come. Rows without such a time lie in the partition with `_default` behind its name. A key has to include the
   * field. @default the table is one piece
   */
  partition?: { readonly by: FieldOf<Row>; readonly every: PartitionLength }
  /** The stream fails with more rejected records than this in one slice. @default 100 */
  maxRejects?: number
  /** An interrupted slice that is older restarts. @default '24h' */
  resumeWithin?: Duration
  /**
   * What to do if it is not proven that everything was read. `'required'` fails the stream: its cursor stays, and the
   * next run reads the same range from its start again. `'any'` accepts it: a warning, and a notice of
   * `sluice status`. @default a warning, and a problem of `sluice status`; for `replace` 'required', because it deletes
   * what was not read
   */
  complete?: Complete
} & (Write extends 'merge' | 'history' ? Keyed<Row> : Partial<Keyed<Row>>)

/** A field, a list of fields, or the fields with a method and a condition. */
export type IndexOption<Row> =
  | FieldOf<Row>
  | readonly FieldOf<Row>[]
  | {
      readonly on: FieldOf<Row> | readonly FieldOf<Row>[]
      /** @default 'btree' */
      readonly using?: TableIndex['using']
      readonly where?: string
    }
/** A field of a row. Of rows without a type it is any name. */
type RowField<Row> = unknown extends Row ? string : FieldOf<Row>
/** A field of a row, or a member of one that is flattened. */
type MemberOf<Row> = RowField<Row> | `${RowField<Row>}.${string}`

interface Keyed<Row> {
  /** The field or fields that identify a row. */
  key: KeyOf<Row> | readonly KeyOf<Row>[]
}
