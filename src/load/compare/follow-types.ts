import { LoadError } from '../../model/errors.ts'
import type { TableShape } from '../shape/table-shape.ts'
import type { ReadRows } from './read-rows.ts'

/** Gives rows of a reading the types that columns of the table got meanwhile. Throws if they have another already. */
export async function followTypes(rows: ReadRows, before: TableShape, after: TableShape): Promise<void> {
  for (const [name, type] of rows.columns) {
    const [then, now] = [before.columns.get(name), after.columns.get(name)]
    if (!then || !now || then.sql === now.sql || now.sql === type.sql) continue
    if (type.sql !== then.sql)
      throw new LoadError(
        `${rows.table.name}: the column ${name} became ${now.sql} while its rows were compared. Run the command again`,
      )
    await rows.retype(name, now)
  }
}
