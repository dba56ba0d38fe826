import type { Recipe } from '../model/recipe.ts'
import type { Secret } from '../model/request.ts'

/** Returns the names of the secrets that a recipe's source needs. Those of children are not known before a run. */
export function secretsIn({ source }: Recipe): string[] {
  return 'read' in source || !source.api.auth
    ? []
    : Object.values(source.api.auth)
        .filter(isSecret)
        .map(({ secret }) => secret)
}

const isSecret = (value: unknown): value is Secret => typeof value === 'object' && value !== null && 'secret' in value
