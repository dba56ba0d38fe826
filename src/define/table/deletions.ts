// What a table's options say about the rows of records that no longer exist.
import { mostDeletesProblem, type MirrorOptions, type MostDeletes } from '../../model/mirror.ts'
import type { DeletedRows, Recipe, Table, WriteMode } from '../../model/recipe.ts'
import type { Duration } from '../../model/request.ts'
import { rejectUnknownOptions, type OptionNames } from '../../model/unknown-option.ts'
import { defined } from '../../value/defined.ts'
import { duration } from '../../value/duration.ts'
import { messageOf } from '../../value/error.ts'

/** The options as they are given. */
export interface GivenDeletions {
  readonly deleted?: DeletedRows
  readonly undo?: Duration | false
  readonly mirror?: boolean | GivenMirror
  readonly mostDeletes?: MostDeletes
}

/** A mirror with options. */
export interface GivenMirror {
  readonly rowsOf?: string | readonly string[]
  readonly parent?: Readonly<Record<string, string | undefined>>
}

export interface DeletionsOf {
  /** `.into("shop.orders")`. */
  readonly place: string
  readonly write: WriteMode
  readonly recipe: Pick<Recipe, 'incremental' | 'stages'>
}

const WORDS: readonly DeletedRows[] = ['delete', 'mark', 'keep']

/**
 * Returns the part of a table that says what becomes of deleted rows, or the reason why its options cannot be meant, as
 * the end of a sentence about the table.
 */
export function deletionsOf(
  given: GivenDeletions,
  of: DeletionsOf,
): Pick<Table, 'deleted' | 'undo' | 'mirror' | 'mostDeletes'> | { readonly problem: string } {
  const { deleted, undo } = given
  const { write } = of
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
  const mirror = mirrorOf(given, of)
  if (typeof mirror === 'string') return { problem: mirror }
  return defined({
    deleted: deleted === 'delete' ? undefined : deleted,
    undo,
    mirror,
    mostDeletes: given.mostDeletes,
  })
}

/** Returns the options of a mirror, or the reason why they cannot be meant. Undefined if the table is none. */
function mirrorOf(
  { mirror = false, mostDeletes, deleted }: GivenDeletions,
  { place, write, recipe: { incremental, stages } }: DeletionsOf,
): MirrorOptions | string | undefined {
  if (typeof mirror !== 'boolean' && (typeof mirror !== 'object' || mirror === null))
    return `mirror is true, or { rowsOf: 'shop.former' }, not ${JSON.stringify(mirror)}`
  if (mostDeletes !== undefined && mirror === false)
    return 'mostDeletes limits what a reading of a mirror deletes. Add mirror: true, or leave it out'
  if (mirror === false) return undefined
  const given = typeof mirror === 'object' ? mirror : {}
  rejectUnknownOptions(`${place}: mirror`, given, MIRROR_OPTIONS)
  const rowsOf = given.rowsOf === undefined ? [] : [given.rowsOf].flat()
  if (rowsOf.some((one) => typeof one !== 'string' || one === ''))
    return "mirror.rowsOf names streams, as in 'shop.former'"
  const problem = mostDeletes === undefined ? undefined : mostDeletesProblem(mostDeletes)
  if (problem !== undefined) return `mostDeletes ${problem}`
  if (write !== 'merge' && write !== 'history')
    return `mirror deletes rows that a reading does not bring, ${WITHOUT_MIRROR[write]}. Leave it out`
  if (deleted === 'keep')
    return "deleted: 'keep' leaves the rows of deleted records, and mirror deletes them. Leave one of them out"
  if (incremental?.step !== undefined)
    return (
      'mirror needs readings of everything, and with a step each reading is a part. ' +
      'Remove the step, or let .deleted() delete rows'
    )
  const { parent } = given
  if (parent !== undefined && !isNames(parent))
    return (
      "mirror.parent names the parent of a row, as in { parent: { orderId: 'id' } }: " +
      'a field of the row, and one of the parent'
    )
  if (parent !== undefined && !stages.some(({ type }) => type === 'flatMap'))
    return 'mirror.parent is for lists below parents, and there is no .flatMap(). Leave it out'
  if (incremental?.startFrom !== undefined && !parent)
    return (
      'mirror needs readings of everything, and with startFrom no reading brings older rows. ' +
      'Remove startFrom, or mirror'
    )
  return Object.freeze({
    ...(rowsOf.length > 0 && { rowsOf: Object.freeze(rowsOf) }),
    ...(parent && { parent: Object.freeze({ ...parent }) }),
  })
}

const isNames = (value: unknown): value is Readonly<Record<string, string>> =>
  typeof value === 'object' &&
  value !== null &&
  Object.keys(value).length > 0 &&
  Object.values(value).every((name) => typeof name === 'string' && name !== '')

const WITHOUT_MIRROR: Readonly<Record<Exclude<WriteMode, 'merge' | 'history'>, string>> = {
  append: 'and append never changes a stored row',
  replace: 'and replace does so already',
}

const MIRROR_OPTIONS: OptionNames<Exclude<GivenDeletions['mirror'], boolean | undefined>> = {
  rowsOf: true,
  parent: true,
}
