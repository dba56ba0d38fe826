import type { Recipe } from './recipe.ts'

/** True if the source of a recipe moves a cursor: by a field of its records, or by a token. */
export const hasOwnCursor = ({ source, incremental }: Pick<Recipe, 'source' | 'incremental'>): boolean =>
  incremental !== undefined || ('api' in source && source.delta !== undefined)
