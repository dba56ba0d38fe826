import { describe, expect, test } from '@jest/globals'
import { byCursor, byLastRecord, byNextUrl, byRelay, http } from '../../../src/index.ts'
import type { PageRequest } from '../../../src/model/request.ts'
import { apiServer, type ApiRequest } from '../../support/api-server.ts'
import { readPages, recordsOf } from '../read-pages.ts'
import { all, ids, pageOf, posts, walk, type Walk } from './walk.ts'

describe('byCursor', () => {
  test.each([null, '', undefined])('byCursor ends where the cursor is %j', async (end) => {
    const { requested, records } = await walk(
      ({ query }) => ({
        json: {
          data: posts(query.get('cursor') === 'c-2' ? 2 : 1),
          meta: { next: query.get('cursor') === 'c-2' ? end : 'c-2' },
        },
      }),
      byCursor('cursor', 'meta.next'),
    )
    expect(requested).toEqual(['/posts', '/posts?cursor=c-2'])
    expect(ids(records)).toEqual(all.slice(0, 10))
  })

  test('byCursor sends numbers with all digits, also integers that no double can hold', async () => {
    const { requested } = await walk(
      ({ query }) => ({
        body: `{"data":[{"id":1}],"next":${query.get('cursor') ? 'null' : '9007199254740993'}}`,
        headers: { 'content-type': 'application/json' },
      }),
      byCursor('cursor', 'next'),
    )
    expect(requested[1]).toBe('/posts?cursor=9007199254740993')
  })

  test('byCursor continues after an empty page that has a cursor', async () => {
    const { requested } = await walk(
      ({ query }) => ({ json: { data: query.get('cursor') ? posts(1) : [], next: query.get('cursor') ? null : 'x' } }),
      byCursor('cursor', 'next'),
    )
    expect(requested).toHaveLength(2)
  })

  test('byCursor ends where `more` is false, although there is a cursor', async () => {
    const { requested } = await walk(
      () => ({ json: { data: posts(1), next: 'x', has_more: false } }),
      byCursor('cursor', 'next', { more: 'has_more' as never }),
    )
    expect(requested).toHaveLength(1)
  })

  test('byCursor fails where `more` is true, but there is no cursor, before it yields the page', async () => {
    const { requested, records, error } = await walk(
      () => ({ json: { data: posts(1), next: null, has_more: true } }),
      byCursor('cursor', 'next', { more: 'has_more' as never }),
    )
    expect(error).toMatchObject({
      code: 'PAGING',
      message: expect.stringContaining("'has_more' says that there are more pages, but 'next' is empty"),
    })
    expect({ requested, records }).toEqual({ requested: ['/posts'], records: [] })
  })

  test.each([true, 'true'])('byCursor ends where `done` is %j, although there is a cursor', async (end) => {
    const { requested } = await walk(
      ({ query }) => ({ json: { data: posts(1), next: 'x', is_last: query.get('cursor') === 'x' ? end : false } }),
      byCursor('cursor', 'next', { done: 'is_last' as never }),
    )
    expect(requested).toEqual(['/posts', '/posts?cursor=x'])
  })

  test.each([
    [false, "'is_last' says that there are more pages, but 'next' is empty"],
    ['no', "'is_last' should say whether this is the last page, but "],
    [undefined, 'Correct `done` of the paginator'],
  ])('byCursor fails where `done` is %j and there is no cursor', async (isLast, message) => {
    const { records, error } = await walk(
      () => ({ json: { data: posts(1), next: null, is_last: isLast } }),
      byCursor('cursor', 'next', { done: 'is_last' as never }),
    )
    expect(error).toMatchObject({ code: 'PAGING', message: expect.stringContaining(message) })
    expect(records).toEqual([])
  })

  test('`more` and `done` together are refused', () => {
    expect(() => byCursor('cursor', 'next', { more: 'a' as never, done: 'b' as never })).toThrow(
      'byCursor(): give `more` or `done`, not both',
    )
  })

  test.each([
    ['false', 1],
    ['true', 2],
  ])('byCursor accepts the text %j as `more`', async (more, requests) => {
    const { requested } = await walk(
      ({ query }) => ({
        json: { data: posts(1), next: query.get('cursor') ? 'y' : 'x', more: query.get('cursor') ? false : more },
      }),
      byCursor('cursor', 'next', { more: 'more' as never }),
    )
    expect(requested).toHaveLength(requests)
  })

  test.each([['yes'], [undefined], [1]])('byCursor refuses %j as `more`', async (more) => {
    const { error } = await walk(
      () => ({ json: { data: posts(1), next: 'x', more } }),
      byCursor('cursor', 'next', { more: 'more' as never }),
    )
    expect(error).toMatchObject({ code: 'PAGING' })
  })

  test('byCursor continues after a page with null in place of the records', async () => {
    const { requested, records } = await walk(
      ({ query }) => ({
        json:
          query.get('t') === 'c'
            ? { data: null, next: null }
            : { data: posts(1), next: query.get('t') === 'b' ? 'c' : 'b' },
      }),
      byCursor('t', 'next'),
    )
    expect(requested).toHaveLength(3)
    expect(records).toHaveLength(10)
  })

  test('byCursor writes into the JSON of a request: a dot leads one level down, and other members stay', async () => {
    const { requested } = await walk(
      ({ body }) => ({ json: { data: posts(1), next: body.includes('next') ? null : 2 } }),
      byCursor('page.next', 'next'),
      { json: { size: 5, page: { of: 'all' } } },
    )
    expect(requested).toEqual(['{"size":5,"page":{"of":"all"}}', '{"size":5,"page":{"of":"all","next":2}}'])
  })
})

describe('a circle', () => {
  test.each([
    ['of one', ['a', 'a']],
    ['of two', ['a', 'b', 'a']],
    ['back to the start', ['a', 'b', 'c', 'b']],
  ])('a circle %s is an error before its page is yielded', async (_, tokens) => {
    let request = 0
    const { records, error, requested } = await walk(
      () => ({ json: { data: [{ id: request }], next: tokens[request++] } }),
      byCursor('cursor', 'next'),
    )
    expect(error).toMatchObject({ code: 'PAGING', message: expect.stringContaining('was read before') })
    expect(records).toEqual([])
    expect(requested).toHaveLength(tokens.length)
  })

  test('a circle of URLs, of relay cursors and of a custom paginator is detected', async () => {
    for (const [response, paging] of [
      [{ data: posts(1), next: '/posts' }, byNextUrl('next')],
      [{ data: { data: posts(1), pageInfo: { hasNextPage: true, endCursor: 'x' } } }, byRelay('data')],
      [{ data: posts(1) }, (_: unknown, request: PageRequest) => request],
    ] as const) {
      const { error, requested } = await walk(() => ({ json: response }), paging, {
        records: 'data' in response.data ? 'data.data' : 'data',
      })
      expect(error).toMatchObject({ code: 'PAGING' })
      expect(requested.length).toBeLessThanOrEqual(2)
    }
  })

  test('two slices with the same requests are no circle', async () => {
    await using server = await apiServer((request) => ({
      json: { data: posts(pageOf(request)), next: pageOf(request) < 3 ? pageOf(request) + 1 : null },
    }))
    const flow = http(server.origin)
      .get<{ data: { id: number }[]; next: number | null }>('/posts')
      .pages(byCursor('page', 'next'))
      .records('data')
    expect(recordsOf(await readPages(flow))).toEqual(recordsOf(await readPages(flow)))
  })
})

describe('byLastRecord', () => {
  test('byLastRecord sends a field of the last record, and ends at an empty page', async () => {
    const { requested, records } = await walk(
      (request) => ({ json: { data: all.slice(after(request), after(request) + 10).map((id) => ({ id })) } }),
      byLastRecord('after', 'data.id'),
    )
    expect(ids(records)).toEqual(all)
    expect(requested).toEqual(['/posts', '/posts?after=9', '/posts?after=19', '/posts?after=24'])
  })

  test('byLastRecord fails if the field is missing, and if an empty page says that there is more', async () => {
    const renamed = await walk(() => ({ json: { data: [{ uid: 1 }] } }), byLastRecord('after', 'data.id'))
    expect(renamed.error).toMatchObject({
      code: 'PAGING',
      message: expect.stringContaining("the last record has no 'data.id'"),
    })
    const empty = await walk(
      () => ({ json: { data: [], has_more: true } }),
      byLastRecord('after', 'data.id', { more: 'has_more' as never }),
    )
    expect(empty.error).toMatchObject({ code: 'PAGING', message: expect.stringContaining('the page is empty') })
  })
})

describe('byRelay', () => {
  test('byRelay sends the end cursor as a variable until there is no next page', async () => {
    const { variables } = await relay((after) => ({ hasNextPage: after === undefined, endCursor: 'e' }))
    expect(variables).toEqual([{ first: 5 }, { first: 5, after: 'e' }])
  })

  test.each([
    ['a next page without an end cursor', { hasNextPage: true, endCursor: null }],
    ['an end cursor that does not move', { hasNextPage: true, endCursor: 'same' }],
    ['no pageInfo', undefined],
  ])('byRelay fails at %s', async (_, pageInfo) => {
    expect((await relay(() => pageInfo)).error).toMatchObject({ code: 'PAGING' })
  })
})

describe('a custom paginator', () => {
  test('a custom paginator gets the response and the request, and returns the next request', async () => {
    const { requested } = await walk(
      ({ query }) => ({ json: { data: posts(1), more: query.get('after') === null }, headers: { 'x-after': 'z' } }),
      (
        { body, headers, records }: { body: { more: boolean }; headers: Record<string, string>; records: unknown[] },
        request: PageRequest,
      ) =>
        body.more && records.length > 0
          ? { ...request, query: { ...request.query, after: headers['x-after'] ?? '' } }
          : undefined,
    )
    expect(requested).toEqual(['/posts', '/posts?after=z'])
  })

  test('a custom paginator fails with its own message, and if it returns no request', async () => {
    const thrown = await walk(
      () => ({ json: { data: posts(1) } }),
      () => {
        throw new TypeError('no such page')
      },
    )
    expect(thrown.error).toMatchObject({
      code: 'PAGING',
      message: "GET /posts: the paginator's function failed: no such page",
    })
    const wrong = await walk(
      () => ({ json: { data: posts(1) } }),
      () => 'next',
    )
    expect(wrong.error).toMatchObject({ code: 'PAGING' })
  })
})

const after = ({ query }: ApiRequest): number => Number(query.get('after') ?? -1) + 1

const relay = async (pageInfo: (after: unknown) => unknown): Promise<Walk & { variables: unknown[] }> => {
  await using server = await apiServer(({ body }) => ({
    json: {
      data: {
        issues: {
          nodes: posts(1),
          pageInfo: pageInfo((JSON.parse(body) as { variables: { after?: string } }).variables.after),
        },
      },
    },
  }))
  const flow = http(server.origin)
    .graphql<{ issues: { nodes: { id: number }[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } } }>(
      'query',
      { first: 5 },
    )
    .pages(byRelay('issues'))
    .records('issues.nodes')
  const variables = (): unknown[] =>
    server.requests.map(({ body }) => (JSON.parse(body) as { variables: unknown }).variables)
  try {
    return { requested: [], records: recordsOf(await readPages(flow)), variables: variables() }
  } catch (error) {
    return { requested: [], records: [], error, variables: variables() }
  }
}
