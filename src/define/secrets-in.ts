import type { Recipe } from '../model/recipe.ts'
import { secretsOf } from '../model/secrets-of.ts'

/** Returns the names of the secrets that a recipe's source needs. Those of children are not known before a run. */
export const secretsIn = ({ source }: Recipe): string[] =>
  'read' in source ? [] : secretsOf(source.request.auth ?? source.api.auth)
