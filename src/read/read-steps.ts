import type { Page } from '../model/page.ts'
import { isMerged, type Recipe, type Table } from '../model/recipe.ts'
import type { Range } from '../model/request.ts'
import type { Scope } from '../model/scope.ts'
import type { SliceRead } from '../model/slice.ts'
import { stepRange } from '../source/cursor/range.ts'
import { MAX_PASSES } from '../source/moving/moving-list.ts'
import { defined } from '../value/defined.ts'
import { readRecipe } from './read-recipe.ts'

/** What becomes of a list that moves while it is read without a ledger, and what earlier readings have shown of it. */
export type MovedList = Pick<
  SliceRead,
  'restart' | 'key' | 'isMerged' | 'pass' | 'endpoints' | 'parentCursors' | 'boundary' | 'boundaryQuota' | 'onPart'
>

/** For rows that nothing merges: a list that has moved is not read again, because rows would double. It is `open`. */
export const READ_ONCE: MovedList = { restart: 'slice', pass: MAX_PASSES }

/** A list that has moved is read again where rows have a key, as in a run. */
export const movedList = (table: Table): MovedList =>
  table.key.length > 0 ? { restart: 'page', key: table.key, isMerged: isMerged(table) } : READ_ONCE

/**
 * Yields the pages of a recipe without a ledger. A stream with steps is read step by step to now, unless the range has
 * an end.
 */
export async function* readSteps(
  recipe: Recipe,
  { since, until }: Range,
  scope: Scope,
  moved: MovedList = READ_ONCE,
): AsyncGenerator<Page, void, undefined> {
  const hasSteps = recipe.incremental?.step !== undefined && until === undefined
  const now = scope.now()
  for (let start = since, readAt: Date | undefined; ; readAt = now) {
    const options = { now, ...defined({ readAt, isMerged: moved.isMerged }) }
    const range = hasSteps ? stepRange(recipe.incremental, start, options) : { since, until }
    yield* readRecipe(recipe, { position: null, ...moved, ...range, ...(hasSteps && { startedAt: now }) }, scope)
    if (!hasSteps || range.until === undefined) return
    start = range.until
  }
}
