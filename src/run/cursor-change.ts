// Does the stored cursor of a stream still fit its definition?
import type { Queryable } from '../database/queryable.ts'
import { readCursorOrigin } from '../ledger/slices/field-values.ts'
import type { Recipe, Table } from '../model/recipe.ts'
import { duration } from '../value/duration.ts'
import { cursorOrigin, definitionHash } from '../read/definition-hash.ts'

export interface CursorChangeOptions {
  readonly pipeline: string
  readonly stream: string
  readonly recipe: Recipe
  readonly table: Table
}

/** `isOtherField`: the cursor is of another field for certain, so records would be missed. */
export interface CursorChange {
  readonly isOtherField: boolean
  /** The problem and its remedy, without the name of the stream. */
  readonly text: string
}

/**
 * Compares the definition with the one that the stream was last read by. Returns undefined if the cursor fits, if there
 * is none, if it was set by hand, and for an interrupted reading that goes on: a reading of everything, or one that was
 * warned of before.
 */
export async function cursorChange(
  on: Queryable,
  { pipeline, stream, recipe, table }: CursorChangeOptions,
): Promise<CursorChange | undefined> {
  const stored = await readCursorOrigin(on, { pipeline, stream })
  const definition = definitionHash(recipe, table)
  if (!stored) return undefined
  const name = `${pipeline}.${stream}`
  const now = cursorOrigin(recipe)
  const { origin, cursor, fullSince, isFullUnfinished } = stored
  const isResumed = stored.open === definition
  const isFullResumed =
    isResumed && fullSince !== undefined && Date.now() - fullSince.getTime() < duration(table.resumeWithin ?? '24h')
  const place = cursor === undefined ? 'the cursors of the lists were' : `the cursor '${cursor}' was`
  const isSame = origin
    ? origin.cursor === now.cursor && (origin.request === now.request || origin.varies === true)
    : stored.definition === definition
  if (isSame || isFullUnfinished || isFullResumed) return undefined
  const before = origin?.field
  if (before !== undefined && now.field !== undefined && before !== now.field)
    return {
      isOtherField: true,
      text:
        `${place} stored by .incremental('${before}'), and the definition has '${now.field}' now. A record that has ` +
        `changed before this cursor and after its last reading would never be read. To read everything once: ` +
        `sluice run ${name} --full. If both fields have the same values: sluice cursor set ${name} '${cursor ?? ''}'`,
    }
  if (isResumed) return undefined
  return {
    isOtherField: false,
    text:
      `the definition has changed since ${place} stored, and a run goes on from there. If the cursor is another ` +
      `field now, or the request selects other records, read everything once: sluice run ${name} --full`,
  }
}
