import type { Recipe } from '../model/recipe.ts'
import type { Auth } from '../model/request.ts'
import { SECRET_KEY, secretsOf } from '../model/secrets-of.ts'

/** Returns the credentials of a recipe's source. Those of children are not known before a run. */
export const authsIn = ({ source }: Recipe): readonly Auth[] =>
  'read' in source ? [] : [source.request.auth ?? source.api.auth ?? []].flat()

/** Returns the names of the secrets that a recipe's source may need. */
export function secretsIn(recipe: Recipe): string[] {
  const auths = authsIn(recipe)
  const key = auths.some(({ type }) => type === 'refresh token') ? [SECRET_KEY] : []
  return [...secretsOf(auths), ...key]
}

/**
 * Returns the names of those that must be set before a run. A refresh token need not be: `sluice login` may have stored
 * one.
 */
export function requiredSecretsIn(recipe: Recipe): string[] {
  const stored = authsIn(recipe).flatMap((auth) => (auth.type === 'refresh token' ? [auth.refreshToken.secret] : []))
  return secretsIn(recipe).filter((name) => !stored.includes(name))
}
