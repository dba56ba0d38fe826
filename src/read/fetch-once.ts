// One request for a user's function: `endpoint.fetch()`.
import type { Api, Range, Request } from '../model/request.ts'
import { firstRequest } from '../source/first-request.ts'
import { requestOptions } from '../source/request-options.ts'
import { defined } from '../value/defined.ts'
import { currentFetchContext, type FetchContext } from './fetch-context.ts'
import { openScope } from './open-scope.ts'

/** Returns the decoded body. Uses the client of the run, or outside a run opens one for this request. */
export async function fetchOnce(api: Api, request: Request, range: Range, signal: AbortSignal): Promise<unknown> {
  const context = currentFetchContext()
  if (context) return fetchBody(context, api, request, range, signal)
  await using scope = openScope({ signal })
  return await fetchBody({ scope, memory: scope.memory, holds: [] }, api, request, range, signal)
}

async function fetchBody(
  context: FetchContext,
  api: Api,
  request: Request,
  range: Range,
  signal: AbortSignal,
): Promise<unknown> {
  const { scope } = context
  // Each fetch gets an account below the one before: side by side, it could wait for memory that the function holds.
  context.memory = context.memory.child(() => true)
  const { body, hold } = await scope.client(api).send(firstRequest(request, { type: 'one page' }, range), {
    signal,
    memory: context.memory,
    ...requestOptions(request),
    ...defined({ stream: scope.stream }),
  })
  context.holds.push(hold)
  return body
}
