import { UsageError } from '../../model/errors.ts'
import type { ColumnDeclaration, Recipe, Table, WriteMode } from '../../model/recipe.ts'
import type { Duration } from '../../model/request.ts'
import { duration } from '../../value/duration.ts'
import { checkValue } from '../check-value.ts'
import { rejectRenamedWords } from '../renamed-words.ts'
import { cursorFieldOfRows, stageThatDrops } from './row-fields.ts'
import type { SchemaPolicy } from './table-options.ts'
import { defined } from '../../value/defined.ts'

interface Given {
  readonly key?: string | readonly string[]
  readonly write?: WriteMode
  readonly versionBy?: string
  readonly columns?: SchemaPolicy | Readonly<Record<string, ColumnDeclaration | undefined>>
  readonly onSchemaChange?: SchemaPolicy
  readonly loadedAt?: boolean
  readonly allowEmpty?: boolean
  readonly maxRejects?: number
  readonly resumeWithin?: Duration
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

  if (!/^[^.\s"]+\.[^.\s"]+$/.test(name)) throw fault("name the table with its schema, as in 'billing.customers'")
  if (name.split('.').some((part) => Buffer.byteLength(part) > 63))
    throw fault('a name in PostgreSQL has at most 63 bytes. Shorten it')
  if (name.startsWith('sluice.')) throw fault('the schema sluice is reserved for the ledger. Choose another')
  if (!['append', 'merge', 'replace'].includes(write))
    throw fault(`write is 'merge', 'append' or 'replace', not ${JSON.stringify(write)}`)

  const keys = [key].flat()
  if (keys.some((field) => typeof field !== 'string' || field === '')) throw fault('a key consists of names of fields')
  if (new Set(keys).size < keys.length) throw fault(`the key names a field twice: ${keys.join(', ')}`)
  if (write === 'merge' && keys.length === 0)
    throw fault("merge needs the key of a row, such as { key: 'id' }. Without a key, use { write: 'append' }")
  if (write === 'replace' && recipe.incremental) {
    throw fault(
      'replace keeps only the rows that were read, and .incremental() reads only new ones. ' +
        "Remove .incremental(), or use { write: 'merge' }",
    )
  }
  if (write === 'append' && keys.length === 0 && looksBack(recipe)) {
    throw fault(
      'append without a key would store the records of the lookback again in every run. ' +
        'Give a key, or remove the lookback',
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
    const stage = stageThatDrops(recipe, field)
    if (stage) throw fault(`the key names '${field}', which ${stage} removes from the records`)
  }
  for (const [field, column] of Object.entries(declared)) {
    if (column === undefined || column === false || (typeof column === 'string' ? column : column?.type)) continue
    throw fault(`columns.${field} is a type as text, false, or { type, round: true }`)
  }
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
  checkValue(`${place}: resumeWithin`, () => duration(resumeWithin))

  const cursorField = keys.length > 0 && write !== 'append' ? cursorFieldOfRows(recipe) : undefined
  const versionBy =
    given.versionBy ?? (cursorField !== undefined && declared[cursorField] !== false ? cursorField : undefined)
  return {
    name,
    key: Object.freeze(keys),
    write,
    ...defined({
      versionBy,
      isVersionOptional: versionBy !== undefined && given.versionBy === undefined ? true : undefined,
    }),
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
