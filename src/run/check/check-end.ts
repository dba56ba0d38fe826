// Does the first page lead to the next one? The grade of a reading that ends with it says so.
import type { Table } from '../../model/recipe.ts'
import { advice, problem, type Remark } from './finding.ts'
import type { FirstPage } from './first-page.ts'

/** Returns why a reading that ends with the first page could not prove that it read everything. */
export function checkEnd({ completeness }: Pick<FirstPage, 'completeness'>, table: Table): Remark[] {
  if (completeness?.grade !== 'open') return []
  const remark = table.complete === 'any' ? advice : problem
  return completeness.reasons.map((reason) => remark(`a run could not prove that it reads everything: ${reason}`))
}
