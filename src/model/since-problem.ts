import { takesBound } from './bounds-in.ts'
import type { HttpSource, Incremental } from './recipe.ts'

export const NO_SINCE =
  'bySince() sends the value of the last record as `since`, but the request has none. ' +
  'Write the placeholder into its query, its json or its form, as in { updated_since: since }'

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
  return takesBound(request, 'since') ? undefined : NO_SINCE
}
