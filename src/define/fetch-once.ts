import type { Api, Range, Request } from '../model/request.ts'
import type { Scope } from '../model/scope.ts'
import { firstRequest } from '../source/request.ts'
import { lentScope } from './lent.ts'
import { openScope } from './open-scope.ts'

/** Ask once and answer the decoded body: through the reading's own client, or, outside of any, through one that is opened for it. */
export async function fetchOnce(api: Api, request: Request, range: Range, signal: AbortSignal): Promise<unknown> {
  const lent = lentScope()
  if (lent) return bodyOf(lent, api, request, range, signal)
  await using scope = openScope({ signal })
  return await bodyOf(scope, api, request, range, signal)
}

async function bodyOf(scope: Scope, api: Api, { headers, emptyOn, ...request }: Request, range: Range, signal: AbortSignal): Promise<unknown> {
  const asked = firstRequest(request, { by: 'one page' }, range)
  // An account of its own: its reader may hold a page already, and must not wait for others that wait for it.
  const { body, hold } = await scope.client(api).send(asked, {
    signal, memory: scope.memory.below(() => true),
    ...(headers && { headers }), ...(emptyOn && { emptyOn }), ...(scope.stream !== undefined && { stream: scope.stream }),
  })
  hold[Symbol.dispose]()
  return body
}
