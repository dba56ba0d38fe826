import type { Table } from '../../model/recipe.ts'
import { sameKeySql } from '../deleted/deleted-rows.ts'
import { readShape } from '../shape/table-shape.ts'
import { MARKED, storedSql } from './compare-sql.ts'
import type { Comparison } from './comparison.ts'
import { EXTRA } from './scratch-sql.ts'

/** Returns how many extra rows that a comparison has found the table still has, without those that are marked. */
export async function stillExtra({ session, rows }: Comparison, table: Table): Promise<number> {
  const shape = await readShape(session, table)
  if (!shape) return 0
  const stored = storedSql({ table, shape, types: rows.columns })
  const { still } = await session.one<{ still: string }>(
    `select count(*) as still from ${EXTRA} as e join ${stored} as t on ${sameKeySql('t', 'e', rows.keys)}
      where not t.${MARKED}`,
  )
  return Number(still)
}
