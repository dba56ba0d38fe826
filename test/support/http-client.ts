import { openClient } from '../../src/http/client.ts'
import type { RunEvent } from '../../src/model/event.ts'
import type { Api, PageRequest, Request } from '../../src/model/request.ts'
import { rulesOfRequest } from '../../src/model/response-rule.ts'
import type { DecodedResponse, SendOptions } from '../../src/model/scope.ts'
import { readSecrets } from '../../src/observe/secrets.ts'
import { freeMemory, type FreeMemory } from './free-memory.ts'
import { virtualTime, type VirtualTime } from './virtual-time.ts'

export interface TestClient extends AsyncDisposable {
  readonly get: (
    url: string,
    options?: Partial<SendOptions & PageRequest & Pick<Request, 'emptyOn'>>,
  ) => Promise<DecodedResponse>
  readonly events: readonly RunEvent[]
  readonly memory: FreeMemory
  readonly time: VirtualTime
}

/** Opens a client whose waits end at once, with a log of its events. */
export function testClient(api: Api, environment: Readonly<Record<string, string>> = {}): TestClient {
  const events: RunEvent[] = []
  const time = virtualTime()
  const memory = freeMemory()
  const client = openClient(api, {
    secrets: readSecrets(environment),
    emit: (event) => events.push(event),
    now: () => new Date('2024-05-01T12:00:00Z'),
    time,
    stream: 'posts',
  })
  const { signal } = new AbortController()
  return {
    events,
    memory,
    time,
    get: async (url, { method = 'GET', query = {}, json, graphql, emptyOn, ...options } = {}) =>
      client.send(
        { method, url, query, json, graphql },
        { signal, memory, ...(emptyOn && { rules: rulesOfRequest({ emptyOn }) }), ...options },
      ),
    [Symbol.asyncDispose]: async () => client[Symbol.asyncDispose](),
  }
}

/** Returns the error with which a promise rejects. */
export async function failure(work: Promise<unknown>): Promise<Error> {
  try {
    await work
  } catch (error) {
    return error as Error
  }
  throw new Error('It did not fail')
}
