import type { Counts } from '../model/batch.ts'
import { COUNT_NAMES } from '../model/counts.ts'

/** Counts as the driver returns them: a bigint is text. */
export type CountRow = { readonly [Name in keyof Counts]: string }

/** Returns the counts of a row. `prefix` stands before their names in the row. */
export function countsOf(row: object, prefix = ''): Counts {
  const values = row as Readonly<Record<string, unknown>>
  // Every name of `Counts` is in COUNT_NAMES.
  return Object.fromEntries(COUNT_NAMES.map((name) => [name, Number(values[`${prefix}${name}`])])) as unknown as Counts
}

/** Selects the counts, each by an expression. */
export const selectCounts = (expression: (name: keyof Counts) => string): string =>
  COUNT_NAMES.map((name) => `${expression(name)} as ${name}`).join(', ')

/** Selects what the run that holds slice `s` has added to a count itself. */
export const ownCount = (name: keyof Counts | 'batches'): string =>
  `s.${name} - coalesce((s.counts_at_claim ->> '${name}')::bigint, 0)`
