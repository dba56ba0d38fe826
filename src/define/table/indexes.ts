import { UsageError } from '../../model/errors.ts'
import type { ColumnDeclaration, Recipe, TableIndex } from '../../model/recipe.ts'
import { rejectUnknownOptions, type OptionNames } from '../../model/unknown-option.ts'
import { defined } from '../../value/defined.ts'
import { stageThatDrops } from './row-fields.ts'

/** What `IndexOption` is without the types of a row. */
export type GivenIndex = string | readonly string[] | GivenObject

interface GivenObject {
  readonly on: string | readonly string[]
  readonly using?: TableIndex['using']
  readonly where?: string
}

interface IndexesPlace {
  /** Names the table in messages. */
  readonly place: string
  readonly declared: Readonly<Record<string, ColumnDeclaration | undefined>>
  readonly recipe: Recipe
}

/** Returns the indexes of a table. Throws a UsageError for what cannot be one. */
export function indexesOf(given: readonly GivenIndex[], { place, declared, recipe }: IndexesPlace): TableIndex[] {
  const fault = (text: string): UsageError => new UsageError(`${place}: ${text}`)
  if (!isList(given))
    throw fault(`indexes is a list, as in indexes: ['created', ['shop', 'created']], not ${JSON.stringify(given)}`)
  const indexes = given.map((option, at) => {
    const index = asObject(option)
    rejectUnknownOptions(`${place}: indexes[${at}]`, index, OPTIONS, { fields: 'Did you mean "on"?' })
    const { on, using, where } = index
    const fields: readonly string[] = [on].flat()
    if (fields.length === 0 || fields.some((field) => typeof field !== 'string' || field === ''))
      throw fault(`indexes[${at}] is a field, a list of fields, or { on: 'field', using: 'gin', where: 'SQL' }`)
    if (using !== undefined && !METHODS.includes(using))
      throw fault(`indexes[${at}]: using is ${METHODS.join(', ')}, not ${JSON.stringify(using)}`)
    if (where !== undefined && (typeof where !== 'string' || where.trim() === ''))
      throw fault(`indexes[${at}]: where is a condition in SQL, not ${JSON.stringify(where)}`)
    for (const field of fields) {
      if (declared[field] === false) throw fault(`columns leaves out '${field}', which indexes[${at}] names`)
      const stage = stageThatDrops(recipe, field)
      if (stage) throw fault(`indexes[${at}] names '${field}', which ${stage} removes from the records`)
    }
    return Object.freeze({ on: Object.freeze(fields), ...defined({ using, where }) })
  })
  const texts = indexes.map((index) => JSON.stringify(index))
  const twice = texts.findIndex((text, at) => texts.indexOf(text) < at)
  if (twice >= 0) throw fault(`indexes[${twice}] repeats another one: ${indexes[twice]?.on.join(', ')}`)
  return indexes
}

const asObject = (option: GivenIndex): GivenObject =>
  typeof option === 'string' || isList(option) ? { on: option } : option

const isList = (value: unknown): value is readonly string[] => Array.isArray(value)

const METHODS: readonly NonNullable<TableIndex['using']>[] = ['btree', 'hash', 'gin', 'gist', 'brin']
const OPTIONS: OptionNames<GivenObject> = { on: true, using: true, where: true }
