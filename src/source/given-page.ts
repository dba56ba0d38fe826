// The first page of a child that came with its parent, such as a connection in a node of GraphQL.
import type { HttpSource } from '../model/recipe.ts'
import type { Scope } from '../model/scope.ts'
import type { HeldResponse } from './paging/request-prefetcher.ts'
import { valueFrom } from './response-value.ts'

/**
 * Returns the page as if it had been received. The memory of the parent's page holds it. Undefined if the list did not
 * come: an empty page in its place would look like the end, so it is requested.
 */
export function givenPage(
  { api, firstPage, records }: Pick<HttpSource, 'api' | 'firstPage' | 'records'>,
  { memory }: Pick<Scope, 'memory'>,
): HeldResponse | undefined {
  if (firstPage === undefined || firstPage === null) return undefined
  if (!mayHaveList(records, firstPage)) return undefined
  return { status: 200, headers: {}, url: api.base, body: firstPage, bytes: 0, hold: new DisposableStack(), memory }
}

function mayHaveList(records: HttpSource['records'], body: unknown): boolean {
  try {
    return typeof records === 'object' || Array.isArray(valueFrom(records, body))
  } catch {
    // The reader of the page says which function failed.
    return true
  }
}
