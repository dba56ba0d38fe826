import { describe, expect, test } from '@jest/globals'
import { DecodeError, HttpError } from '../../../src/model/errors.ts'
import { apiServer } from '../../support/api-server.ts'
import { failure, testClient } from '../../support/http-client.ts'

describe('a GraphQL request', () => {
  const graphql = 'query ($after: String) { posts(after: $after) { id } }'

  test('sends its document with variables, and returns the data', async () => {
    await using api = await apiServer([{ json: { data: { posts: [] } } }])
    await using client = testClient({ base: api.origin })
    expect((await client.get('/graphql', { graphql, json: { after: 'x' } })).body).toEqual({ posts: [] })
    expect(api.requests[0]?.method).toBe('POST')
    expect(JSON.parse(api.requests[0]?.body ?? '')).toEqual({ query: graphql, variables: { after: 'x' } })
  })

  test('fails for a response with errors, even if it has data too', async () => {
    await using api = await apiServer([
      {
        json: {
          data: { posts: [] },
          errors: [{ message: 'no such field', path: ['posts', 0] }, { message: 'too complex' }],
        },
      },
    ])
    await using client = testClient({ base: api.origin })
    const error = await failure(client.get('/graphql', { graphql }))
    expect(error).toBeInstanceOf(HttpError)
    expect(error.message).toBe('POST /graphql answered with GraphQL errors: no such field (at posts.0); too complex')
  })

  test('fails for a response without data', async () => {
    await using api = await apiServer([{ json: {} }, { json: [] }])
    await using client = testClient({ base: api.origin })
    await expect(client.get('/graphql', { graphql })).rejects.toThrow(DecodeError)
    await expect(client.get('/graphql', { graphql })).rejects.toThrow(DecodeError)
  })

  test('that is refused by a status fails with the reason in the body, after the rules of the definition', async () => {
    await using api = await apiServer([
      { status: 400, json: { errors: [{ message: 'Cannot query field "titel" on type "Post"' }] } },
    ])
    await using client = testClient({ base: api.origin })
    const error = await failure(client.get('/graphql', { graphql }))
    expect(error.message).toBe('POST /graphql answered 400: Cannot query field "titel" on type "Post"')
    const { rule } = await client.get('/graphql', { graphql, emptyOn: [400] })
    expect(rule).toMatchObject({ action: 'empty' })
    await expect(client.get('/graphql')).rejects.toThrow(/answered 400\. The API says: "Cannot query field/)
  })

  test('that is refused by a limit is tried again, whatever its status is', async () => {
    const errors = [{ message: 'Rate limit exceeded', extensions: { code: 'RATELIMITED' } }]
    await using api = await apiServer([
      { status: 400, json: { errors } },
      { status: 200, headers: { 'retry-after': '7' }, json: { errors } },
      { json: { data: { posts: [] } } },
    ])
    await using client = testClient({ base: api.origin })
    expect((await client.get('/graphql', { graphql })).body).toEqual({ posts: [] })
    expect(client.events.filter(({ type }) => type === 'request.retried')).toMatchObject([
      { reason: 'POST /graphql answered Rate limit exceeded' },
      { reason: 'POST /graphql answered Rate limit exceeded (retry after 7 s)', waitMs: 7_000 },
    ])
  })
})
