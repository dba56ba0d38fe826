// What the options of a table say about its columns as a whole: views that use them, and fields that have no room.
import type { Table } from '../../model/recipe.ts'
import { rejectUnknownOptions } from '../../model/unknown-option.ts'
import { defined } from '../../value/defined.ts'

/** The options as they are given. */
export interface GivenShape {
  readonly views?: Table['views']
  readonly overflow?: string | { readonly column: string; readonly columns?: number }
}

/** So many columns has a table with `overflow`. PostgreSQL has 1,600, and some of them are Sluice's own. */
const DEFAULT_COLUMNS = 1_590

/** Returns this part of a table, or the reason why its options cannot be meant, as the end of a sentence about it. */
export function shapeOptions(
  { views, overflow }: GivenShape,
  of: { readonly place: string; readonly declared: Table['columns']; readonly absent: Table['absent'] },
): Pick<Table, 'views' | 'overflow'> | { readonly problem: string } {
  if (views !== undefined && !['keep', 'recreate'].includes(views))
    return { problem: `views is 'keep' or 'recreate', not ${JSON.stringify(views)}` }
  if (overflow === undefined) return defined({ views })
  if (typeof overflow === 'object')
    rejectUnknownOptions(`${of.place}: overflow`, overflow ?? {}, { column: true, columns: true })
  const { column, columns = DEFAULT_COLUMNS } = typeof overflow === 'string' ? { column: overflow } : (overflow ?? {})
  if (typeof column !== 'string' || !/^[a-z_][a-z0-9_]*$/.test(column) || column.length > 63)
    return { problem: "overflow names a column in small letters, as in overflow: 'rest'" }
  if (!Number.isInteger(columns) || columns < 1 || columns > DEFAULT_COLUMNS)
    return { problem: `overflow.columns is a whole number from 1 to ${DEFAULT_COLUMNS}, not ${columns}` }
  if (of.declared[column] !== undefined)
    return { problem: `columns declares '${column}', which overflow fills. Choose another name for one of them` }
  if (of.absent === 'keep')
    return { problem: "absent: 'keep' keeps columns one by one, and overflow writes one as a whole. Leave one out" }
  return { ...defined({ views }), overflow: Object.freeze({ column, columns }) }
}

/** Returns the declaration of the column of `overflow`. */
export const overflowColumn = ({ overflow }: Pick<Table, 'overflow'>): Table['columns'] =>
  overflow ? { [overflow.column]: 'jsonb' } : {}
