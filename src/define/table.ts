import { UsageError } from '../model/errors.ts'
import type { FieldOf } from '../model/path.ts'
import type { ColumnDeclaration, Recipe, Table, WriteMode } from '../model/recipe.ts'
import type { Duration } from '../model/request.ts'
import type { ColumnType } from './column-type.ts'
import { duration } from '../value/duration.ts'
import { checkValue } from './check-value.ts'
import { rejectRenamedWords } from './renamed-words.ts'

/** What a record's field can become in a row; objects and arrays become jsonb. */
type Unstorable =
  | ((...args: never) => unknown)
  | Promise<unknown>
  | symbol
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>
type UnstorableField<Row> = {
  [Field in keyof Row & string]: Extract<Row[Field], Unstorable> extends never ? never : Field
}[keyof Row & string]

/** Schema and table; or, where the records are no rows, the reason as the compiler's message. */
export type TableName<Row> = unknown extends Row
  ? `${string}.${string}`
  : Row extends object
    ? [UnstorableField<Row>] extends [never]
      ? `${string}.${string}`
      : `the field '${UnstorableField<Row>}' holds what no column can store`
    : 'a row must be an object with named fields: map each record to one'

/**
 * Fields that are never null and compare by value. They are named as in the record; columns are their names in
 * snake_case.
 */
export type KeyOf<Row> = unknown extends Row
  ? string
  : [Row] extends [object]
    ? {
        [Field in keyof Row & string]-?: Row[Field] extends string | number | bigint | boolean | Date ? Field : never
      }[keyof Row & string]
    : never

/** Whether records may change the table: make what is missing, fail, or reject the record. */
type Shape = Table['onSchemaChange']

export type TableOptions<Row, Write> = {
  /**
   * How rows meet those that are there. `append` without a key tells records at the cursor from those of the last run
   * by what they hold and, for children, by the requests that lead to them, which therefore must not hold what changes
   * from run to run, as the present time. @default 'merge'
   */
  write?: Write
  /**
   * The field that says which of two rows is newer; the newer one stays, in whatever order they are read. @default the
   * field given to `.incremental`, where rows have it
   */
  versionBy?: FieldOf<Row>
  /**
   * What happens when a record brings a new field or a wider type, in one word; or, field by field, the column's type,
   * `false` to leave it out, `{ type, round: true }` to admit values that the column rounds or cuts.
   * @default 'evolve'
   */
  columns?:
    | Shape
    | {
        readonly [Field in keyof Row]?:
          | ColumnType<NonNullable<Row[Field]>>
          | false
          | { readonly type: ColumnType<NonNullable<Row[Field]>>; readonly round?: boolean }
      }
  /** The word for `columns`, where `columns` declares some. @default 'evolve' */
  onSchemaChange?: Shape
  /** Add `_loaded_at`, the time when the row last changed. @default false */
  loadedAt?: boolean
  /** For `replace`: whether a reading of nothing may empty the table. @default false */
  allowEmpty?: boolean
  /** Rejected records of one slice beyond which it fails. @default 100 */
  maxRejects?: number
  /** An interrupted reading that began longer ago begins anew. @default '24h' */
  resumeWithin?: Duration
} & (Write extends 'merge' ? Keyed<Row> : Partial<Keyed<Row>>)

interface Keyed<Row> {
  /** The fields that say which row it is: one or several. */
  key: KeyOf<Row> | readonly KeyOf<Row>[]
}

interface Given {
  readonly key?: string | readonly string[]
  readonly write?: WriteMode
  readonly versionBy?: string
  readonly columns?: Shape | Readonly<Record<string, ColumnDeclaration | undefined>>
  readonly onSchemaChange?: Shape
  readonly loadedAt?: boolean
  readonly allowEmpty?: boolean
  readonly maxRejects?: number
  readonly resumeWithin?: Duration
}

/** What a recipe keeps of it; faults that no type can see are named here, before anything is requested. */
export function tableOf(name: string, given: Given, recipe: Recipe): Table {
  const place = `.into(${JSON.stringify(name)})`
  rejectRenamedWords(place, given, {
    version: 'versionBy',
    shape: 'onSchemaChange',
    empty: "allowEmpty: true instead of empty: 'accept'",
    resume: 'resumeWithin',
  })
  const {
    key = [],
    write = 'merge',
    columns,
    onSchemaChange,
    loadedAt = false,
    allowEmpty = false,
    maxRejects = 100,
    resumeWithin = '24h',
  } = given ?? {}
  const fault = (text: string): UsageError => new UsageError(`${place}: ${text}`)

  if (!/^[^.\s"]+\.[^.\s"]+$/.test(name)) throw fault("a table is named with its schema, as 'billing.customers'")
  if (name.split('.').some((part) => Buffer.byteLength(part) > 63))
    throw fault('a name in PostgreSQL has 63 bytes at most: shorten it')
  if (name.startsWith('sluice.')) throw fault('schema sluice holds the ledger: choose another')
  if (!['append', 'merge', 'replace'].includes(write))
    throw fault(`write is 'merge', 'append' or 'replace', not ${JSON.stringify(write)}`)

  const keys = [key].flat()
  if (keys.some((field) => typeof field !== 'string' || field === ''))
    throw fault('a key is named by the fields of the record')
  if (new Set(keys).size < keys.length) throw fault(`the key names a field twice: ${keys.join(', ')}`)
  if (write === 'merge' && keys.length === 0)
    throw fault("merge needs a key, the fields that say which row it is: { key: 'id' }, or { write: 'append' }")
  if (write === 'replace' && recipe.incremental) {
    throw fault(
      "replace leaves in the table only what was read, and .incremental() reads only what is new: leave .incremental() out, or choose { write: 'merge' }",
    )
  }
  if (write === 'append' && keys.length === 0 && looksBack(recipe)) {
    throw fault(
      'append without a key stores the records of a lookback once more at every run: give a key, or leave the lookback out',
    )
  }

  const declared = typeof columns === 'object' ? columns : {}
  const word = typeof columns === 'string' ? columns : (onSchemaChange ?? 'evolve')
  if (typeof columns === 'string' && onSchemaChange !== undefined && onSchemaChange !== columns)
    throw fault(`columns says ${columns} and onSchemaChange says ${onSchemaChange}: leave one of them out`)
  if (!['evolve', 'freeze', 'reject'].includes(word))
    throw fault(`columns is 'evolve', 'freeze', 'reject' or declares some, not ${JSON.stringify(word)}`)
  for (const field of keys) {
    if (declared[field] === false) throw fault(`columns leaves out '${field}', which the key needs`)
    if (!mayHave(recipe, field))
      throw fault(`the key names '${field}', which ${droppedBy(recipe, field)} has taken from the records`)
  }
  for (const [field, column] of Object.entries(declared)) {
    if (column === undefined || column === false || (typeof column === 'string' ? column : column?.type)) continue
    throw fault(`columns.${field} is a type as text, false, or { type, round: true }`)
  }
  if (given.versionBy === '' || (given.versionBy !== undefined && typeof given.versionBy !== 'string'))
    throw fault('versionBy is the name of a field')
  if (given.versionBy !== undefined && declared[given.versionBy] === false)
    throw fault(`columns leaves out '${given.versionBy}', which versionBy names`)
  if (given.versionBy !== undefined && !mayHave(recipe, given.versionBy))
    throw fault(
      `versionBy names '${given.versionBy}', which ${droppedBy(recipe, given.versionBy)} has taken from the records`,
    )
  if (given.versionBy !== undefined && keys.length === 0)
    throw fault('versionBy decides between two rows with one key: give the key')
  if (!Number.isInteger(maxRejects) || maxRejects < 0)
    throw fault(`maxRejects must be a whole number from 0, not ${maxRejects}`)
  if (typeof allowEmpty !== 'boolean') throw fault(`allowEmpty is true or false, not ${JSON.stringify(allowEmpty)}`)
  checkValue(`${place}: resumeWithin`, () => duration(resumeWithin))

  const versionBy =
    given.versionBy ?? (keys.length > 0 && write !== 'append' ? cursorField(recipe, declared) : undefined)
  return {
    name,
    key: Object.freeze(keys),
    write,
    ...(versionBy !== undefined && { versionBy }),
    ...(versionBy !== undefined && given.versionBy === undefined && { isVersionOptional: true }),
    onSchemaChange: word,
    columns: Object.freeze({ ...declared }),
    loadedAt,
    allowEmpty,
    maxRejects,
    resumeWithin,
  }
}

const looksBack = ({ incremental }: Recipe): boolean =>
  incremental?.lookback !== undefined && !/^0+(?:\.0+)?(?:ms|s|m|h|d|w)?$/.test(String(incremental.lookback))

/** The cursor's field under the name that rows have for it, if it is a field of theirs at all. */
function cursorField({ incremental, stages }: Recipe, declared: Given['columns'] & object): string | undefined {
  if (typeof incremental?.at !== 'string' || incremental.at.includes('.')) return undefined
  let field: string | undefined = incremental.at
  for (const stage of stages) {
    if (stage.type === 'flatMap') return undefined // What comes after it are other records, with other fields.
    if (stage.type === 'rename' && stage.from === field) field = stage.to
    if (stage.type === 'pick' && !stage.fields.includes(field)) return undefined
    if (stage.type === 'omit' && stage.fields.includes(field)) return undefined
  }
  return (declared as Readonly<Record<string, unknown>>)[field] === false ? undefined : field
}

/** The last stage that says by name which fields there are, where nothing after it can bring the field back. */
function dropping({ stages }: Recipe, field: string): Recipe['stages'][number] | undefined {
  for (const stage of stages.toReversed()) {
    switch (stage.type) {
      case 'map':
      case 'flatMap':
      case 'validate':
      case 'offload':
        return undefined
      case 'rename':
        if (stage.to === field) return undefined
        if (stage.from === field) return stage
        break
      case 'pick':
        if (!stage.fields.includes(field)) return stage
        break
      case 'omit':
        if (stage.fields.includes(field)) return stage
        break
      case 'filter':
      case 'tap':
      case 'dedupe':
    }
  }
  return undefined
}
const mayHave = (recipe: Recipe, field: string): boolean => dropping(recipe, field) === undefined
const droppedBy = (recipe: Recipe, field: string): string => `.${dropping(recipe, field)?.type ?? ''}()`
