// A paginator that is a user's function.
import { PagingError } from '../../model/errors.ts'
import type { ApiResponse, NextRequest, PageRequest } from '../../model/request.ts'
import { messageOf } from '../../value/error.ts'

/** Calls the function and checks its result, which may be null or undefined after the last page. */
export function callPaginator(
  paginator: NextRequest<never>,
  response: ApiResponse<unknown>,
  request: PageRequest,
): PageRequest | undefined {
  let next: PageRequest | null | undefined
  try {
    // `.pages()` has checked that the function expects this body.
    next = paginator(response as ApiResponse<never>, request)
  } catch (cause) {
    throw new PagingError(`the paginator's function failed: ${messageOf(cause)}`, { cause })
  }
  if (next === undefined || next === null) return undefined
  if (typeof next !== 'object' || typeof next.url !== 'string' || typeof next.query !== 'object')
    throw new PagingError(
      "the paginator's function must return a request such as { ...request, query: { … } }, or undefined",
    )
  const headers = next.headers && textQuery(next.headers)
  // Values of headers are no lists, so they stay text.
  return { ...next, query: textQuery(next.query), ...(headers && { headers: headers as Record<string, string> }) }
}

/** Makes every value text, as in the requests that the other paginators make. */
function textQuery(query: PageRequest['query']): PageRequest['query'] {
  const entries = Object.entries(query).filter(([, value]) => value !== undefined)
  return Object.fromEntries(
    entries.map(([name, value]) => [name, Array.isArray(value) ? value.map(String) : String(value)]),
  )
}
