import type { HttpSource, Incremental } from './recipe.ts'
import type { Given, Query, Request, Sent } from './request.ts'

export const NO_SINCE =
  'bySince() sends the value of the last record as `since`, but the request has none. ' +
  'Write the placeholder into its query or its json, as in { updated_since: since }'

/** Returns what keeps `bySince()` from reading a source, and the remedy. Undefined for other paginators. */
export function sinceProblem(
  { paging, request }: Pick<HttpSource, 'paging' | 'request'>,
  incremental: Incremental | undefined,
): string | undefined {
  if (typeof paging === 'function' || paging.type !== 'since') return undefined
  const { field } = paging
  if (!incremental && field === undefined)
    return (
      "bySince() needs the field that the list is ordered by. Add .incremental('updated_at') after .records(), " +
      "or name the field: bySince({ field: 'updated_at' })"
    )
  if (incremental?.order === 'descending')
    return "bySince() needs an ascending list, but .incremental() says order: 'descending'. Use another paginator"
  if (incremental && field !== undefined && field !== incremental.at)
    return (
      `bySince() reads the list in the order of '${field}', and .incremental() follows another field. ` +
      'Remove the field from bySince()'
    )
  return takesSince(request) ? undefined : NO_SINCE
}

/** True if a request sends `since`. A function of the range may use it. */
export const takesSince = ({ query, json }: Pick<Request, 'query' | 'json'>): boolean =>
  [query, json].some(mayHaveSince)

/** True if the values have the placeholder, or may have it. */
const mayHaveSince = (given: Given<Query> | Given<Sent> | undefined): boolean =>
  typeof given === 'function' ||
  Object.values(given ?? {}).some(
    (value: unknown) => typeof value === 'object' && value !== null && 'bound' in value && value.bound === 'since',
  )
