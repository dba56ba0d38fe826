// The tables of nested lists: what a run would do to them.
import type { Database } from '../../database/database.ts'
import { childRows } from '../../load/nested/child-rows.ts'
import type { ChildTable } from '../../load/nested/child-tables.ts'
import { tablesOfLists } from '../../load/nested/child-writer.ts'
import { Fields } from '../../load/shape/fields.ts'
import { readShape } from '../../load/shape/table-shape.ts'
import type { Scope } from '../../model/scope.ts'
import { checkDeclaredFields } from './check-fields.ts'
import { checkTable, type TableCheck } from './check-table.ts'
import { faultOf, findingsOf, problem, type Finding, type Remark } from './finding.ts'

/** Checks the tables of the lists of a table, and what a run would store in them of the first page. */
export async function checkLists(
  database: Database,
  check: TableCheck,
  { location, scope }: { readonly location: string; readonly scope: Scope },
): Promise<Finding[]> {
  const { pipeline, stream, table } = check
  let lists: readonly ChildTable[]
  let collected: ReturnType<typeof childRows> | undefined
  try {
    const fields = new Fields(table, `${pipeline}.${stream}`, await readShape(database, table))
    lists = tablesOfLists({ table, fields })
    collected = check.rows && childRows(check.rows, table.key, lists)
  } catch (error) {
    scope.signal.throwIfAborted()
    return [faultOf(`${location} -> ${table.name}`, scope, error)]
  }
  const findings = lists.map((list) =>
    findingsOf(`${location} -> ${list.table.name}`, scope, async () => {
      const { rows = [], recordOf = [] } = collected?.of.get(list) ?? {}
      // Without an entry nothing says which columns the table needs.
      const entries = rows.length > 0 ? rows : undefined
      const { text, remarks = [] } = await checkTable(database, {
        ...check,
        table: list.table,
        rows: entries,
        list: { path: list.path, recordOf, records: check.rows?.length ?? 0, maxRejects: table.maxRejects },
      })
      const declared = collected ? checkDeclaredFields(list.table, rows) : []
      return { text, remarks: [...noLists(list, collected?.problems), ...declared, ...remarks] }
    }),
  )
  return (await Promise.all(findings)).flat()
}

/** A record whose field holds something else than a list is rejected. */
function noLists({ path }: ChildTable, problems: ReadonlyMap<number, string> = new Map()): Remark[] {
  const reasons = [...problems.values()].filter((reason) => reason.startsWith(`${path}: `))
  const [first] = reasons
  if (first === undefined) return []
  return [problem(`${first}. A run rejects such records: the first page has ${reasons.length}`)]
}
