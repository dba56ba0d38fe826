import type { Credentials, Secret } from './request.ts'

/** The variable with the key for the tokens that the ledger keeps. */
export const SECRET_KEY = 'SLUICE_KEY'

/** Returns the names of the secrets in the credentials of an API or a request, each once. */
export const secretsOf = (auth: Credentials | undefined): string[] => [...new Set(namesIn(auth))]

/** The body of a login has secrets at any depth. */
function namesIn(part: unknown): string[] {
  if (isSecret(part)) return [part.secret]
  return typeof part === 'object' && part !== null ? Object.values(part).flatMap(namesIn) : []
}

/** True for a named secret. */
export const isSecret = (part: unknown): part is Secret =>
  typeof part === 'object' && part !== null && 'secret' in part && typeof part.secret === 'string'
