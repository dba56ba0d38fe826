import { isFilledIn } from '../model/bounds-in.ts'
import type { HttpSource } from '../model/recipe.ts'
import type { Request } from '../model/request.ts'
import { rulesOfRequest } from '../model/response-rule.ts'
import type { SendOptions } from '../model/scope.ts'
import { defined } from '../value/defined.ts'
import { endpointOf } from './first-request.ts'

/** Returns what a client must know of a request besides its parameters. */
export const requestOptions = (request: Request): Omit<SendOptions, 'signal' | 'memory'> => ({
  endpoint: endpointOf(request),
  rules: rulesOfRequest(request),
  ...defined({
    headers: constantHeaders(request),
    format: request.format,
    timeout: request.timeout,
    auth: request.auth,
    rate: request.rate,
    graphqlErrors: request.errors,
    persisted: request.persisted,
    files: request.files,
  }),
})

/** Returns the headers that are the same for every page. Those with a bound are in each page's request. */
function constantHeaders({ headers }: Request): Readonly<Record<string, string>> | undefined {
  const texts = Object.entries(headers ?? {}).filter((entry): entry is [string, string] => !isFilledIn(entry[1]))
  return headers && Object.fromEntries(texts)
}

/** Returns the path of the records, undefined if they are found in another way. */
export const recordsPath = ({ records }: Pick<HttpSource, 'records'>): string | undefined =>
  typeof records === 'string' ? records : undefined

/**
 * True if a large body may be read part by part: its records are a list at a path, and no other page depends on what
 * stands behind them. The errors of a GraphQL response stand beside its data, and concern it all.
 */
export const isReadInParts = ({ request, paging, records, delta, ifChanged }: HttpSource): boolean =>
  request.graphql === undefined &&
  typeof paging === 'object' &&
  paging.type === 'one page' &&
  typeof records === 'string' &&
  delta === undefined &&
  ifChanged === undefined
