import type { Request } from '../model/request.ts'

/** Returns what the options of a GraphQL query say, for `sluice list --verbose`. */
export function graphqlFacts({ errors, persisted }: Request): (readonly [what: string, text: string])[] {
  const name = typeof persisted === 'object' && ('id' in persisted ? persisted.id : persisted.sha256Hash)
  return [
    ...(errors === undefined ? [] : [['errors', errors] as const]),
    ...(persisted === undefined ? [] : [['query', `persisted, by ${name || 'its SHA-256'}`] as const]),
  ]
}
