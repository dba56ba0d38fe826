// What a table's options say about the rows of records that no longer exist.
import type { DeletedRows, Table, WriteMode } from '../../model/recipe.ts'
import type { Duration } from '../../model/request.ts'
import { defined } from '../../value/defined.ts'
import { duration } from '../../value/duration.ts'
import { messageOf } from '../../value/error.ts'

/** The options as they are given. */
export interface GivenDeletions {
  readonly deleted?: DeletedRows
  readonly undo?: Duration | false
}

const WORDS: readonly DeletedRows[] = ['delete', 'mark', 'keep']

/**
 * Returns the part of a table that says what becomes of deleted rows, or the reason why its options cannot be meant, as
 * the end of a sentence about the table.
 */
export function deletionsOf(
  { deleted, undo }: GivenDeletions,
  { write }: { readonly write: WriteMode },
): Pick<Table, 'deleted' | 'undo'> | { readonly problem: string } {
  if (deleted !== undefined && !WORDS.includes(deleted))
    return { problem: `deleted is 'delete', 'mark' or 'keep', not ${JSON.stringify(deleted)}` }
  if (undo !== undefined && undo !== false) {
    try {
      duration(undo)
    } catch (error) {
      return { problem: `undo is false, or how long deleted rows can be brought back: ${messageOf(error)}` }
    }
  }
  if (deleted === 'mark' && write === 'history')
    return { problem: "deleted: 'mark' is for merge: a history ends the version of the row. Leave it out" }
  if (deleted !== undefined && deleted !== 'keep' && write !== 'merge' && write !== 'history')
    return {
      problem:
        `deleted: '${deleted}' removes rows by their key, but ` +
        (write === 'append' ? 'append never changes a stored row' : 'replace stores exactly what was read') +
        ". Leave it out, or use { write: 'merge' }",
    }
  return defined({ deleted: deleted === 'delete' ? undefined : deleted, undo })
}
