import { UsageError } from '../../model/errors.ts'
import type {
  ColumnDeclaration,
  ColumnOptions,
  Complete,
  EmptyText,
  Recipe,
  Table,
  WriteMode,
} from '../../model/recipe.ts'
import type { Duration } from '../../model/request.ts'
import { sinceProblem } from '../../model/since-problem.ts'
import { duration } from '../../value/duration.ts'
import { timeReader } from '../../value/time-form.ts'
import { rejectUnknownOptions, type OptionNames } from '../../model/unknown-option.ts'
import { checkValue } from '../check-value.ts'
import { rejectRenamedWords } from '../renamed-words.ts'
import { columnProblem, EMPTY_TEXTS } from './column-problem.ts'
import { cursorFieldOfRows, remakesRecords, stageThatDrops } from './row-fields.ts'
import { deletionsOf, type GivenDeletions } from './deletions.ts'
import { indexesOf, type GivenIndex } from './indexes.ts'
import { partitioningOf, type GivenPartitioning } from './partition.ts'
import type { SchemaPolicy } from './table-options.ts'
import { defined } from '../../value/defined.ts'
import { nestedOptions, type GivenNested } from './nested-options.ts'
import { overflowColumn, shapeOptions, type GivenShape } from './shape-options.ts'
import { winningValues, type GivenWinners } from './winning-values.ts'

interface Given extends GivenWinners, GivenNested, GivenDeletions, GivenShape {
  readonly key?: string | readonly string[]
  readonly write?: WriteMode
  readonly versionBy?: string
  readonly columns?: SchemaPolicy | Readonly<Record<string, ColumnDeclaration | undefined>>
  readonly onSchemaChange?: SchemaPolicy
  readonly emptyText?: EmptyText
  readonly loadedAt?: boolean
  readonly allowEmpty?: boolean
  readonly adopt?: boolean
  readonly indexes?: readonly GivenIndex[]
  readonly partition?: GivenPartitioning
  readonly maxRejects?: number
  readonly resumeWithin?: Duration
  readonly complete?: Complete
}

/**
 * Returns the table of a recipe. Throws a UsageError for options that the types cannot refuse.
 */
export function tableOf(name: string, given: Given, recipe: Recipe): Table {
  const place = `.into(${JSON.stringify(name)})`
  rejectRenamedWords(place, given, {
    version: 'versionBy',
    shape: 'onSchemaChange',
    empty: "allowEmpty: true instead of empty: 'accept'",
    resume: 'resumeWithin',
  })
  rejectUnknownOptions(place, given, OPTIONS, HINTS)
  const {
    key = [],
    write = 'merge',
    columns,
    onSchemaChange,
    emptyText,
    loadedAt = false,
    allowEmpty = false,
    adopt = false,
    maxRejects = 100,
    resumeWithin = '24h',
    complete,
  } = given ?? {}
  const fault = (text: string): UsageError => new UsageError(`${place}: ${text}`)

  if (!/^[^.\s"]+\.[^.\s"]+$/.test(name)) throw fault("name the table with its schema, as in 'billing.customers'")
  if (name.split('.').some((part) => Buffer.byteLength(part) > 63))
    throw fault('a name in PostgreSQL has at most 63 bytes. Shorten it')
  if (name.startsWith('sluice.')) throw fault('the schema sluice is reserved for the ledger. Choose another')
  if (!['append', 'merge', 'history', 'replace'].includes(write))
    throw fault(`write is 'merge', 'append', 'history' or 'replace', not ${JSON.stringify(write)}`)

  const problem = 'api' in recipe.source ? sinceProblem(recipe.source, recipe.incremental) : undefined
  if (problem !== undefined) throw fault(problem)
  const keys = [key].flat()
  if (keys.some((field) => typeof field !== 'string' || field === '')) throw fault('a key consists of names of fields')
  if (new Set(keys).size < keys.length) throw fault(`the key names a field twice: ${keys.join(', ')}`)
  if (write === 'merge' && keys.length === 0)
    throw fault("merge needs the key of a row, such as { key: 'id' }. Without a key, use { write: 'append' }")
  if (write === 'replace' && readsOnlyNew(recipe)) {
    const [word, remove] = recipe.incremental ? ['.incremental()', '.incremental()'] : ['a delta token', 'the delta']
    throw fault(
      `replace keeps only the rows that were read, and ${word} reads only new ones. ` +
        `Remove ${remove}, or use { write: 'merge' }`,
    )
  }
  if (write === 'append' && keys.length === 0 && looksBack(recipe)) {
    throw fault(
      'append without a key would store the records of the lookback again in every run. ' +
        'Give a key, or remove the lookback',
    )
  }

  if (write === 'append' && keys.length === 0 && (recipe.incremental?.concurrency ?? 1) > 1)
    throw fault(
      'append without a key would store the records of a step twice that is read again. ' +
        'Give a key, or remove concurrency from .incremental()',
    )

  const declared = typeof columns === 'object' ? columns : {}
  const word = typeof columns === 'string' ? columns : (onSchemaChange ?? 'evolve')
  if (typeof columns === 'string' && onSchemaChange !== undefined && onSchemaChange !== columns)
    throw fault(`columns says ${columns} and onSchemaChange says ${onSchemaChange}: leave one of them out`)
  if (!['evolve', 'freeze', 'reject'].includes(word))
    throw fault(`columns is 'evolve', 'freeze', 'reject' or declares some, not ${JSON.stringify(word)}`)
  for (const field of keys) {
    if (declared[field] === false) throw fault(`columns leaves out '${field}', which the key needs`)
    const stage = stageThatDrops(recipe, field)
    if (stage) throw fault(`the key names '${field}', which ${stage} removes from the records`)
  }
  if (emptyText !== undefined && !EMPTY_TEXTS.includes(emptyText))
    throw fault(`emptyText is 'null' or 'keep', not ${JSON.stringify(emptyText)}`)
  for (const [field, column] of Object.entries(declared)) {
    if (typeof column === 'object') rejectUnknownOptions(`${place}: columns.${field}`, column ?? {}, COLUMN_OPTIONS)
    const problem = column === undefined ? undefined : columnProblem(column, keys.includes(field))
    if (problem !== undefined) throw fault(`columns.${field} ${problem}`)
  }
  const noHistory = write === 'history' ? historyProblem(name, keys, declared[given.versionBy ?? '']) : undefined
  if (noHistory !== undefined) throw fault(noHistory)
  if (given.versionBy === '' || (given.versionBy !== undefined && typeof given.versionBy !== 'string'))
    throw fault('versionBy is the name of a field')
  if (given.versionBy !== undefined && declared[given.versionBy] === false)
    throw fault(`columns leaves out '${given.versionBy}', which versionBy names`)
  const dropper = given.versionBy === undefined ? undefined : stageThatDrops(recipe, given.versionBy)
  if (dropper) throw fault(`versionBy names '${given.versionBy}', which ${dropper} removes from the records`)
  if (given.versionBy !== undefined && keys.length === 0)
    throw fault('versionBy decides between two rows with one key: give the key')
  if (!Number.isInteger(maxRejects) || maxRejects < 0)
    throw fault(`maxRejects must be a whole number from 0, not ${maxRejects}`)
  if (typeof allowEmpty !== 'boolean') throw fault(`allowEmpty is true or false, not ${JSON.stringify(allowEmpty)}`)
  if (complete !== undefined && !COMPLETE_WORDS.includes(complete))
    throw fault(`complete is 'required' or 'any', not ${JSON.stringify(complete)}`)
  if (typeof adopt !== 'boolean') throw fault(`adopt is true or false, not ${JSON.stringify(adopt)}`)
  checkValue(`${place}: resumeWithin`, () => duration(resumeWithin))

  const cursorField =
    keys.length > 0 && write !== 'append' ? versionFieldOf(recipe, withCursorTime(declared, recipe)) : undefined
  const versionBy =
    given.versionBy ?? (cursorField !== undefined && declared[cursorField] !== false ? cursorField : undefined)
  const winners = winningValues(given, {
    write,
    key: keys,
    versionBy,
    isLeftOut: (field) => declared[field] === false,
    stageThatDrops: (field) => stageThatDrops(recipe, field),
  })
  if ('problem' in winners) throw fault(winners.problem)
  const nested = nestedOptions(given, {
    place,
    write,
    key: keys,
    flatten: given.flatten,
    isLeftOut: (field) => declared[field] === false,
  })
  if ('problem' in nested) throw fault(nested.problem)
  const deletions = deletionsOf(given, { place, write, recipe })
  if ('problem' in deletions) throw fault(deletions.problem)
  const divided = partitioningOf(given.partition, withCursorTime(declared, recipe), { place, write, key: keys, recipe })
  if ('problem' in divided) throw fault(divided.problem)
  const shaped = shapeOptions(given, { place, declared, absent: winners.absent })
  if ('problem' in shaped) throw fault(shaped.problem)
  return {
    name,
    key: Object.freeze(keys),
    write,
    ...winners,
    ...nested,
    ...deletions,
    ...defined({
      versionBy,
      isVersionOptional: versionBy !== undefined && given.versionBy === undefined ? true : undefined,
      emptyText,
    }),
    onSchemaChange: word,
    columns: Object.freeze({ ...divided.columns, ...overflowColumn(shaped) }),
    loadedAt,
    allowEmpty,
    ...(adopt && { adopt }),
    ...shaped,
    ...defined({
      indexes: given.indexes && indexesOf(given.indexes, { place, declared, recipe }),
      partition: divided.partition,
    }),
    maxRejects,
    resumeWithin,
    ...defined({ complete }),
  }
}

type Columns = Readonly<Record<string, ColumnDeclaration | undefined>>

/** The times of a cursor in another form are stored as times, unless a stage has made other records. */
function withCursorTime(columns: Columns, recipe: Recipe): Columns {
  const { time } = recipe.incremental ?? {}
  const field = time && cursorFieldOfRows(recipe)
  if (!time || field === undefined || columns[field] !== undefined || remakesRecords(recipe)) return columns
  return { ...columns, [field]: { type: timeReader(time).isDay ? 'date' : 'timestamptz', time } }
}

/** Returns the cursor's field, by which rows are compared. Texts of another form than ISO 8601 have another order. */
function versionFieldOf(recipe: Recipe, columns: Columns): string | undefined {
  const field = cursorFieldOfRows(recipe)
  const column = field === undefined ? undefined : columns[field]
  const isTime = typeof column === 'object' && column.time !== undefined
  return recipe.incremental?.time && column !== false && !isTime ? undefined : field
}

/** Returns the reason for which a table cannot be a history. `version` is the declared column of its version. */
function historyProblem(name: string, key: Table['key'], version: ColumnDeclaration | undefined): string | undefined {
  if (key.length === 0) return "a history needs the key of a row, such as { key: 'id' }: its versions have one key"
  if (Buffer.byteLength(`${name.slice(name.indexOf('.') + 1)}_current`) > 63)
    return 'the view of the current rows has the name of the table and _current, at most 63 bytes. Shorten the name'
  const type = typeof version === 'object' ? version.type : version
  if (typeof type !== 'string' || /^(?:timestamp|date\b)/i.test(type.trim())) return undefined
  return (
    `versionBy is the time from which a version of a history is valid, and columns declares it as ${type}. ` +
    "Declare a time, such as 'timestamptz', or time('unix') for seconds since 1970"
  )
}

const COMPLETE_WORDS: readonly Complete[] = ['required', 'any']
const COLUMN_OPTIONS: OptionNames<ColumnOptions> = { type: true, round: true, emptyText: true, zone: true, time: true }
const OPTIONS: OptionNames<Given> = {
  key: true,
  write: true,
  versionBy: true,
  columns: true,
  onSchemaChange: true,
  emptyText: true,
  loadedAt: true,
  allowEmpty: true,
  adopt: true,
  views: true,
  overflow: true,
  indexes: true,
  partition: true,
  maxRejects: true,
  resumeWithin: true,
  complete: true,
  absent: true,
  insertOnly: true,
  ignoreChanges: true,
  lineage: true,
  flatten: true,
  deleted: true,
  undo: true,
  mirror: true,
  mostDeletes: true,
  children: true,
}
const HINTS: Readonly<Record<string, string>> = {
  primaryKey: 'Did you mean "key"?',
  mode: 'Did you mean "write"?',
  types: 'Did you mean "columns"?',
}

const looksBack = ({ incremental }: Recipe): boolean =>
  incremental?.lookback !== undefined && !/^0+(?:\.0+)?(?:ms|s|m|h|d|w)?$/.test(String(incremental.lookback))

/** A conditional request reads everything or nothing. */
const readsOnlyNew = ({ source, incremental }: Recipe): boolean =>
  incremental !== undefined || ('api' in source && source.delta !== undefined)
