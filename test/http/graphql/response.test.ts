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
})
