import { createHash } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import { http } from '../../../src/index.ts'
import { apiServer, type ApiAnswer, type ApiServer } from '../../support/api-server.ts'

const DOCUMENT = 'query ($n: Int) { posts(first: $n) { id } }'
const HASH = createHash('sha256').update(DOCUMENT).digest('hex')
const { signal } = new AbortController()

interface Sent {
  query?: string
  documentId?: string
  variables: unknown
  extensions?: { persistedQuery: { version: number; sha256Hash: string } }
}
const sentTo = ({ requests }: ApiServer): Sent[] => requests.map(({ body }) => JSON.parse(body) as Sent)

/** A server that learns queries by their hash, as Apollo does. */
function learning({ status = 200, coded = true }: { status?: number; coded?: boolean } = {}): Promise<ApiServer> {
  const known = new Map<string, string>()
  return apiServer(({ body }): ApiAnswer => {
    const { query, extensions } = JSON.parse(body) as Sent
    const hash = extensions?.persistedQuery.sha256Hash ?? ''
    if (query !== undefined && hash !== '') known.set(hash, query)
    if (query === undefined && !known.has(hash))
      return {
        status,
        json: {
          errors: [
            { message: 'PersistedQueryNotFound', ...(coded && { extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' } }) },
          ],
        },
      }
    return { json: { data: { posts: [] } } }
  })
}

describe('a persisted query', () => {
  test.each([
    { status: 200, coded: true },
    { status: 200, coded: false },
    { status: 400, coded: true },
  ])('is sent by its hash, and with its text only while the server does not know it (%j)', async (how) => {
    await using api = await learning(how)
    const endpoint = http(api.origin, { attempts: 1 }).graphql(DOCUMENT, { n: 2 }, { persisted: true })
    expect(await endpoint.fetch({ signal })).toEqual({ posts: [] })
    const extensions = { persistedQuery: { version: 1, sha256Hash: HASH } }
    expect(sentTo(api)).toEqual([
      { variables: { n: 2 }, extensions },
      { query: DOCUMENT, variables: { n: 2 }, extensions },
    ])
    await endpoint.fetch({ signal })
    expect(sentTo(api).slice(2)).toEqual([{ variables: { n: 2 }, extensions }])
  })

  test('a rule of the definition does not take the unknown hash for an empty page', async () => {
    await using api = await learning({ status: 400 })
    const source = http(api.origin, { attempts: 1, responseRules: [{ status: 400, action: 'empty' }] })
    expect(await source.graphql(DOCUMENT, {}, { persisted: true }).fetch({ signal })).toEqual({ posts: [] })
  })

  test('is sent as text to a server that knows no queries by name', async () => {
    await using api = await apiServer(({ body }) =>
      'query' in (JSON.parse(body) as Sent)
        ? { json: { data: { posts: [] } } }
        : { json: { errors: [{ message: 'PersistedQueryNotSupported' }] } },
    )
    const endpoint = http(api.origin, { attempts: 1 }).graphql(DOCUMENT, {}, { persisted: true })
    expect(await endpoint.fetch({ signal })).toEqual({ posts: [] })
    expect(sentTo(api)[1]).toEqual({ query: DOCUMENT, variables: {} })
  })

  test('may have a hash or an id that the server was given', async () => {
    await using api = await apiServer([{ json: { data: { posts: [] } } }])
    const source = http(api.origin)
    await source.graphql(DOCUMENT, {}, { persisted: { sha256Hash: 'a'.repeat(64) } }).fetch({ signal })
    await source.graphql(DOCUMENT, { n: 1 }, { persisted: { id: 'posts-1' } }).fetch({ signal })
    await source.graphql(DOCUMENT, {}, { persisted: { id: '17', as: 'doc_id' } }).fetch({ signal })
    expect(sentTo(api)).toEqual([
      { variables: {}, extensions: { persistedQuery: { version: 1, sha256Hash: 'a'.repeat(64) } } },
      { documentId: 'posts-1', variables: { n: 1 } },
      { doc_id: '17', variables: {} },
    ])
  })

  test('that the server does not accept as text either fails', async () => {
    await using api = await apiServer([{ json: { errors: [{ message: 'PersistedQueryNotFound' }] } }])
    await expect(http(api.origin).graphql(DOCUMENT, {}, { persisted: true }).fetch({ signal })).rejects.toThrow(
      'answered with GraphQL errors: PersistedQueryNotFound',
    )
    expect(api.requests).toHaveLength(2)
  })
})
