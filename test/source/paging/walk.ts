// An API of posts, for the tests of src/source/paging.
import { http, type HttpOptions } from '../../../src/index.ts'
import type { Paging } from '../../../src/model/request.ts'
import type { Endpoint } from '../../../src/define/api/endpoint.ts'
import type { JsonValue } from '../../../src/model/json.ts'
import { apiServer, type ApiAnswer, type ApiRequest } from '../../support/api-server.ts'
import { readPages, recordsOf } from '../read-pages.ts'

export interface Body {
  data: unknown[] | Body
}

export interface Walk {
  /** Path and query of each request. */
  readonly requested: string[]
  readonly records: unknown[]
  readonly error?: unknown
}

/** Reads all pages of an API, and returns the error instead of throwing it. */
export async function walk(
  response: (request: ApiRequest) => ApiAnswer,
  paging: unknown,
  {
    records = 'data',
    query = {},
    json,
    options = {},
  }: {
    records?: 'data' | 'data.data'
    query?: Record<string, string | number>
    json?: Record<string, JsonValue>
    options?: HttpOptions
  } = {},
): Promise<Walk> {
  await using server = await apiServer(response)
  const api = http(server.origin, options)
  const endpoint: Endpoint<Body> = json ? api.post<Body>('/posts', { json }) : api.get<Body>('/posts', query)
  const flow = endpoint.pages(paging as Paging<Body>).records(records)
  const read: unknown[] = []
  try {
    read.push(...recordsOf(await readPages(flow)))
  } catch (error) {
    return { requested: server.requests.map(({ url, body }) => decodeURIComponent(body || url)), records: read, error }
  }
  return { requested: server.requests.map(({ url, body }) => decodeURIComponent(body || url)), records: read }
}

/** 25 posts, 5 to a page. */
export const posts = (page: number): { id: number }[] =>
  Array.from({ length: page >= 1 && page <= 5 ? 5 : 0 }, (_, index) => ({ id: (page - 1) * 5 + index }))

export const ids = (records: unknown[]): number[] => records.map((record) => (record as { id: number }).id)

export const all = Array.from({ length: 25 }, (_, id) => id)

export const pageOf = ({ query }: ApiRequest, name = 'page'): number => Number(query.get(name) ?? 1)
