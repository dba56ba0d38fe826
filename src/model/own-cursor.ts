import type { Recipe } from './recipe.ts'

/** True if the source of a recipe moves a cursor: by a field of its records, or by a token. */
export const hasOwnCursor = (recipe: Pick<Recipe, 'source' | 'incremental'>): boolean =>
  recipe.incremental !== undefined || hasToken(recipe)

/** True if the cursor is a token of the API: a delta token, or the validators of a response. Tokens have no order. */
export const hasToken = ({ source }: Pick<Recipe, 'source'>): boolean =>
  'api' in source && (source.delta !== undefined || source.ifChanged === true)
