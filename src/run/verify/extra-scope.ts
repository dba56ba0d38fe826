// Which rows of a table a reading should have had, so that those that it does not have are extra.
import type { Comparison } from '../../load/compare/comparison.ts'
import { READ } from '../../load/compare/scratch-sql.ts'
import { readOrigins } from '../../load/shape/column-origin.ts'
import { openText } from '../../model/completeness.ts'
import type { Recipe, Table } from '../../model/recipe.ts'
import type { Window } from '../../model/window.ts'
import { formatCount } from '../../value/format.ts'
import { cursorColumn } from './cursor-column.ts'
import type { ReadPart } from './read-into.ts'

export interface ExtraScope {
  /** A condition on the columns of the table; undefined if nothing says which rows it should have had. */
  readonly scope: string | undefined
  /** Why. */
  readonly unknown?: string
}

export interface ExtraScopeOptions {
  readonly recipe: Recipe
  readonly table: Table
  /** The streams that write to the same table, by their columns or by the definition. */
  readonly others: readonly string[]
  /** @default all of the stream */
  readonly window: Window | undefined
}

/** Returns the streams, besides this one, that have columns in a table. */
export async function otherStreams(
  { session, exists }: Comparison,
  table: Table,
  streamName: string,
): Promise<string[]> {
  if (!exists) return []
  const origins = await readOrigins(session, table.name)
  return [...new Set([...origins.values()].map(({ stream }) => stream))].filter((stream) => stream !== streamName)
}

/** Returns which rows of the table the part that was read should have had. */
export async function extraScope(
  comparison: Comparison,
  { rejected, completeness }: ReadPart,
  { recipe, table, others, window }: ExtraScopeOptions,
): Promise<ExtraScope> {
  if (!completeness) return { scope: undefined, unknown: 'it is not known whether the source was read completely' }
  const open = openText(completeness)
  if (open !== undefined)
    return { scope: undefined, unknown: `it is not proven that the source was read completely: ${open}` }
  if (rejected > 0)
    return {
      scope: undefined,
      unknown: `${formatCount(rejected, 'record')} could not become a row, and may belong to these rows`,
    }
  if (others.length > 0)
    return {
      scope: undefined,
      unknown: `${others.join(', ')} also ${others.length === 1 ? 'writes' : 'write'} to ${table.name}`,
    }
  const { startFrom } = recipe.incremental ?? {}
  if (!window && startFrom === undefined) return { scope: 'true' }
  return rangeScope(comparison, { recipe, window })
}

/** Returns the condition of rows that belong to a window, or that are not before the first value of a cursor. */
async function rangeScope(
  { rows, session }: Comparison,
  { recipe, window }: Pick<ExtraScopeOptions, 'recipe' | 'window'>,
): Promise<ExtraScope> {
  const column = cursorColumn(recipe, (field) => rows.loaded(field))
  const { at, startFrom } = recipe.incremental ?? {}
  const ends = [
    [window?.lower, '>='],
    [startFrom === undefined ? undefined : String(startFrom), '>='],
    [window?.upper, '<'],
  ] as const
  const conditions = ends.flatMap(([text, operator]) => {
    if (text === undefined) return []
    const bound = column?.bound(text)
    return [bound === undefined ? undefined : `${column?.value} ${operator} ${bound}`]
  })
  const field = typeof at === 'string' ? `'${at}'` : 'of the cursor'
  if (!column || conditions.includes(undefined))
    return {
      scope: undefined,
      unknown: `no column for the field ${field} says which rows belong to the range that was read`,
    }
  const scope = conditions.join(' and ')
  const { outside } = await session.one<{ outside: boolean }>(
    `select exists (select from ${READ} where ${column.name} is not null and not (${scope})) as outside`,
  )
  if (outside)
    return {
      scope: undefined,
      unknown: `the column ${column.name} does not hold the cursor's value: some rows lie outside of the range`,
    }
  return { scope }
}
