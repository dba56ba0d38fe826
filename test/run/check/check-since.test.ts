// `check` says that a request asks for what is new where no cursor says what that is.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { http, onePage, since, type Flow, type Stream } from '../../../src/index.ts'
import { apiServer, type ApiServer } from '../../support/api-server.ts'
import { remarksOf, useDatabase } from './support.ts'

useDatabase()

type Item = Record<string, unknown> & { id: number; at: string }

let api: ApiServer
let requests = 0
beforeAll(async () => {
  api = await apiServer(() => ({ json: [{ id: 1, at: '2024-01-01T00:00:00Z' }] }))
})
afterAll(async () => api[Symbol.asyncDispose]())
beforeEach(() => {
  requests = api.requests.length
})

const asked = (query: object) =>
  http(api.origin)
    .get<Item[]>('/items', query as never)
    .pages(onePage())
    .records()
const into = (stream: Stream<Item>, options: object = {}): Flow<unknown> =>
  stream.into('t.items', { key: 'id', ...options } as never)

/** Returns the remarks, which cost one request. */
async function remarks(flow: Flow<unknown>): Promise<string[]> {
  const found = await remarksOf(flow)
  expect(api.requests.length - requests).toBe(1)
  return found
}

describe('a request for what is new', () => {
  test('without a cursor is advice: no run would ever send it', async () => {
    expect(await remarks(into(asked({ updated_after: since })))).toEqual([
      'advice: the request has `since` in updated_after, but the stream has no cursor: a run leaves updated_after ' +
        'out and reads everything each time. To read only what is new, name the field of the last change after ' +
        ".records(), as in .incremental('updated_at'). Leave it as it is if only backfills use it",
    ])
    const incremental = asked({ updated_after: since }).incremental('at', { order: 'ascending' })
    expect((await remarksOf(into(incremental))).join('\n')).not.toContain('has no cursor')
  })

  test('from a fixed date is advice, unless everything is replaced', async () => {
    const query = { 'created[gte]': '2024-01-01', until: '2030-01-01', name: 'x' }
    expect(await remarks(into(asked(query)))).toEqual([
      expect.stringMatching(
        /^advice: created\[gte\] is always "2024-01-01", .* 'created\[gte\]': since, .*startFrom: "2024-01-01"/,
      ),
    ])
    expect(await remarksOf(into(asked(query), { write: 'replace', complete: 'any' }))).toEqual([])
    expect(await remarksOf(into(asked({ until: '2030-01-01' })))).toEqual([])
  })
})
