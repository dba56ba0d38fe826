import type { Api, Range, Request } from '../model/request.ts'
import { firstRequest } from '../source/first-request.ts'
import { currentFetchContext, type FetchContext } from './fetch-context.ts'
import { openScope } from './open-scope.ts'

/**
 * Ask once and answer the decoded body: through the reading's own client, or, outside of any, through one that is
 * opened for it.
 */
export async function fetchOnce(api: Api, request: Request, range: Range, signal: AbortSignal): Promise<unknown> {
  const here = currentFetchContext()
  if (here) return bodyOf(here, api, request, range, signal)
  await using scope = openScope({ signal })
  return await bodyOf({ scope, memory: scope.memory, holds: [] }, api, request, range, signal)
}

async function bodyOf(
  lent: FetchContext,
  api: Api,
  { headers, emptyOn, ...request }: Request,
  range: Range,
  signal: AbortSignal,
): Promise<unknown> {
  const { scope } = lent
  const first = firstRequest(request, { type: 'one page' }, range)
  lent.memory = lent.memory.child(() => true)
  const { body, hold } = await scope.client(api).send(first, {
    signal,
    memory: lent.memory,
    ...(headers && { headers }),
    ...(emptyOn && { emptyOn }),
    ...(scope.stream !== undefined && { stream: scope.stream }),
  })
  lent.holds.push(hold)
  return body
}
