// Which value wins, and where it comes from: what a table's options say about the values that are stored already.
import type { Absent, Table, WriteMode } from '../../model/recipe.ts'
import { defined } from '../../value/defined.ts'

/** The options as they are given. */
export interface GivenWinners {
  readonly lineage?: boolean
  readonly absent?: Absent
  readonly insertOnly?: string | readonly string[]
  readonly ignoreChanges?: string | readonly string[]
}

/** What the options of a table are compared with. */
export interface WinnersOf {
  readonly write: WriteMode
  readonly key: readonly string[]
  readonly versionBy: string | undefined
  readonly isLeftOut: (field: string) => boolean
  /** Returns the stage that removes a field from the records, such as `.omit()`. */
  readonly stageThatDrops: (field: string) => string | undefined
}

/**
 * Returns the part of a table that says which value wins, or the reason why its options cannot be meant, as the end of
 * a sentence about the table.
 */
export function winningValues(
  { absent, insertOnly, ignoreChanges, lineage = false }: GivenWinners,
  of: WinnersOf,
): Pick<Table, 'absent' | 'insertOnly' | 'ignoreChanges' | 'lineage'> | { readonly problem: string } {
  if (absent !== undefined && absent !== 'null' && absent !== 'keep')
    return { problem: `absent is 'null' or 'keep', not ${JSON.stringify(absent)}` }
  if (typeof lineage !== 'boolean') return { problem: `lineage is true or false, not ${JSON.stringify(lineage)}` }
  if (lineage && of.write !== 'merge' && of.write !== 'append')
    return {
      problem: `lineage says when a row was first seen, but ${DOES[of.write]}. Leave it out, or use { write: 'merge' }`,
    }
  const lists = { insertOnly: listOf(insertOnly), ignoreChanges: listOf(ignoreChanges) }
  const used = [
    ...(absent === 'keep' ? ["absent: 'keep'"] : []),
    ...Object.entries(lists).flatMap(([name, fields]) => (fields.length > 0 ? [name] : [])),
  ]
  if (used.length > 0 && of.write !== 'merge') return { problem: meaningless(used.join(' and '), of.write) }
  for (const [name, fields] of Object.entries(lists)) {
    const problem = fieldsProblem(name, fields, of)
    if (problem !== undefined) return { problem }
  }
  const both = lists.insertOnly.find((field) => lists.ignoreChanges.includes(field))
  if (both !== undefined)
    return {
      problem: `insertOnly and ignoreChanges both name '${both}'. A column that is only set at insert never changes`,
    }
  return defined({
    absent: absent === 'keep' ? absent : undefined,
    lineage: lineage || undefined,
    insertOnly: lists.insertOnly.length > 0 ? Object.freeze(lists.insertOnly) : undefined,
    ignoreChanges: lists.ignoreChanges.length > 0 ? Object.freeze(lists.ignoreChanges) : undefined,
  })
}

const listOf = (fields: string | readonly string[] = []): string[] => [fields].flat()

const DOES: Readonly<Record<Exclude<WriteMode, 'merge'>, string>> = {
  append: 'append never changes a stored row',
  replace: 'replace stores exactly what was read',
  history: 'history keeps each version of a row as it was read',
}

const meaningless = (options: string, write: Exclude<WriteMode, 'merge'>): string =>
  `${options} says what stays of a stored row, but ${DOES[write]}. Leave it out, or use { write: 'merge' }`

function fieldsProblem(
  name: string,
  fields: readonly string[],
  { key, versionBy, isLeftOut, stageThatDrops }: WinnersOf,
): string | undefined {
  for (const field of fields) {
    if (typeof field !== 'string' || field === '') return `${name} consists of names of fields`
    if (key.includes(field)) return `${name} names '${field}', which belongs to the key: a key never changes`
    if (field === versionBy)
      return `${name} names '${field}', which decides which row is newer, so each newer row has to write it`
    if (isLeftOut(field)) return `columns leaves out '${field}', which ${name} names`
    const stage = stageThatDrops(field)
    if (stage !== undefined) return `${name} names '${field}', which ${stage} removes from the records`
  }
  return undefined
}
