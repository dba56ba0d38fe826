import type { Credentials, Secret } from './request.ts'

/** Returns the names of the secrets in the credentials of an API or a request, each once. */
export const secretsOf = (auth: Credentials | undefined): string[] => [
  ...new Set(
    [auth ?? []]
      .flat()
      .flatMap((one): unknown[] => Object.values(one).flat())
      .filter(isSecret)
      .map(({ secret }) => secret),
  ),
]

const isSecret = (part: unknown): part is Secret =>
  typeof part === 'object' && part !== null && 'secret' in part && typeof part.secret === 'string'
