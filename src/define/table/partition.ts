import { PARTITION_LENGTHS, type PartitionLength, type Partitioning } from '../../model/partition.ts'
import type { ColumnDeclaration, Recipe, WriteMode } from '../../model/recipe.ts'
import { rejectUnknownOptions, type OptionNames } from '../../model/unknown-option.ts'
import { stageThatDrops } from './row-fields.ts'

/** The option as it is given. */
export interface GivenPartitioning {
  readonly by: string
  readonly every: PartitionLength
}

interface PartitioningOf {
  /** `.into("shop.orders")`. */
  readonly place: string
  readonly write: WriteMode
  readonly key: readonly string[]
  readonly recipe: Recipe
}

type Columns = Readonly<Record<string, ColumnDeclaration | undefined>>

/** How a table is divided, and its columns with the one that divides it. */
export interface PartitionedColumns {
  readonly partition?: Partitioning
  readonly columns: Columns
}

/**
 * Returns how a table is divided, or the reason why it cannot be, as the end of a sentence about the table. The field
 * that divides it is a `timestamptz` unless `columns` declares a type: PostgreSQL does not widen such a column.
 */
export function partitioningOf(
  given: GivenPartitioning | undefined,
  columns: Columns,
  { place, write, key, recipe }: PartitioningOf,
): PartitionedColumns | { readonly problem: string } {
  if (given === undefined) return { columns }
  if (typeof given !== 'object' || given === null)
    return { problem: `partition is { by: 'created', every: '1mo' }, not ${JSON.stringify(given)}` }
  rejectUnknownOptions(`${place}: partition`, given, OPTIONS)
  const { by, every } = given
  if (typeof by !== 'string' || by === '') return { problem: 'partition.by is the name of a field with a time' }
  if (!PARTITION_LENGTHS.includes(every))
    return { problem: `partition.every is ${PARTITION_LENGTHS.join(', ')}, not ${JSON.stringify(every)}` }
  if (write !== 'merge' && write !== 'append')
    return { problem: `partition is for merge and append, and write is '${write}'. Leave it out` }
  if (key.length > 0 && !key.includes(by))
    return {
      problem:
        `PostgreSQL keeps a key unique in a partitioned table only if '${by}' is part of it. ` +
        `Write key: ${listText([...key, by])} if a record never changes its ${by}; otherwise leave partition out`,
    }
  if (columns[by] === false) return { problem: `columns leaves out '${by}', which partition.by names` }
  const stage = stageThatDrops(recipe, by)
  if (stage) return { problem: `partition.by names '${by}', which ${stage} removes from the records` }
  const declared = columns[by]
  const type = typeof declared === 'object' ? declared.type : declared
  if (type !== undefined && !/^(?:timestamp|date\b)/i.test(type.trim()))
    return { problem: `partition.by names '${by}', which columns declares as ${type}. It has to be a time or a date` }
  const partition: Partitioning = Object.freeze({ by, every })
  if (type !== undefined) return { partition, columns }
  const more = typeof declared === 'object' ? declared : {}
  return { partition, columns: { ...columns, [by]: { ...more, type: 'timestamptz' } } }
}

const listText = (fields: readonly string[]): string => `[${fields.map((field) => `'${field}'`).join(', ')}]`

const OPTIONS: OptionNames<GivenPartitioning> = { by: true, every: true }
