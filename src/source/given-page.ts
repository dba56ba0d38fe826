// The first page of a child that came with its parent, such as a connection in a node of GraphQL.
import type { HttpSource } from '../model/recipe.ts'
import type { PageRequest } from '../model/request.ts'
import type { Scope } from '../model/scope.ts'
import { isCounted } from './paging/counted-pages.ts'
import { pageSizeOf } from './paging/page-size.ts'
import type { HeldResponse } from './paging/request-prefetcher.ts'
import { valueFrom } from './response-value.ts'

/**
 * Returns the page as if it had been received. The memory of the parent's page holds it. Undefined if the list did not
 * come: an empty page in its place would look like the end, so it is requested. So is a page of another size where
 * pages have numbers, because the second one begins behind the API's own first one.
 */
export function givenPage(
  { api, firstPage, records, paging }: Pick<HttpSource, 'api' | 'firstPage' | 'records' | 'paging'>,
  request: PageRequest,
  { memory }: Pick<Scope, 'memory'>,
): HeldResponse | undefined {
  if (firstPage === undefined || firstPage === null) return undefined
  if (!mayHaveList(records, firstPage)) return undefined
  if (isCounted(paging) && paging.type === 'page' && lengthOf(records, firstPage) !== pageSizeOf(request, paging))
    return undefined
  return { status: 200, headers: {}, url: api.base, body: firstPage, bytes: 0, hold: new DisposableStack(), memory }
}

/** Returns the number of records, NaN if it is not known before the page is read. */
function lengthOf(records: HttpSource['records'], body: unknown): number {
  try {
    const list: unknown = typeof records === 'object' ? undefined : valueFrom(records, body)
    return Array.isArray(list) ? list.length : Number.NaN
  } catch {
    return Number.NaN
  }
}

function mayHaveList(records: HttpSource['records'], body: unknown): boolean {
  try {
    return typeof records === 'object' || Array.isArray(valueFrom(records, body))
  } catch {
    // The reader of the page says which function failed.
    return true
  }
}
