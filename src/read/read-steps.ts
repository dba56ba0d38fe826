import type { Page } from '../model/page.ts'
import type { Recipe } from '../model/recipe.ts'
import type { Range } from '../model/request.ts'
import type { Scope } from '../model/scope.ts'
import type { SliceRead } from '../model/slice.ts'
import { stepRange } from '../source/cursor/range.ts'
import { MAX_PASSES } from '../source/moving/moving-list.ts'
import { defined } from '../value/defined.ts'
import { readRecipe } from './read-recipe.ts'

/** What becomes of a list that moves while it is read without a ledger. */
export type MovedList = Pick<SliceRead, 'restart' | 'key' | 'isMerged' | 'pass'>

/** For rows that nothing merges: a list that has moved is not read again, because rows would double. It is `open`. */
export const READ_ONCE: MovedList = { restart: 'slice', pass: MAX_PASSES }

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
    const range = hasSteps ? stepRange(recipe.incremental, start, { now, ...defined({ readAt }) }) : { since, until }
    yield* readRecipe(recipe, { position: null, ...moved, ...range, ...(hasSteps && { startedAt: now }) }, scope)
    if (!hasSteps || range.until === undefined) return
    start = range.until
  }
}
