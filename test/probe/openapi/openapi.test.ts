import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Pipeline } from '../../../src/define/pipeline.ts'
import type { Found } from '../../../src/probe/found.ts'
import { Description } from '../../../src/probe/openapi/description.ts'
import { loadDescription } from '../../../src/probe/openapi/load-description.ts'
import { type DescriptionRead, readOpenApi } from '../../../src/probe/openapi/read-openapi.ts'
import type { Choice } from '../../../src/probe/openapi/select.ts'
import { pipelineText } from '../../../src/probe/write-pipeline.ts'
import { runPipeline } from '../../../src/run/run-pipeline.ts'
import type { ApiServer } from '../../support/api-server.ts'
import { testDatabase } from '../../support/database.ts'
import { CIRCLES } from './circles.ts'
import { PAGING_CASES } from './paging-cases.ts'
import { openProject, type Project } from '../type-check.ts'
import { COMMENTS_OF_EACH, forumApi, KEY, POSTS_OF_EACH, USERS } from './forum-api.ts'

const { signal } = new AbortController()
const none: Choice = { given: new Map() }
const readFrom = async (place: string, choice: Choice = none): Promise<DescriptionRead> =>
  readOpenApi(await loadDescription(place, { signal }), choice)
const fileOf = (name: string): string => join(import.meta.dirname, name)
const streamIn = ({ streams }: Found, name: string): Found['streams'][number] | undefined =>
  streams.find((stream) => stream.name === name)

const namesIn = ({ found }: DescriptionRead): string[] => found.streams.map(({ name }) => name)

let forum: ApiServer
let project: Project
const files: Record<string, string> = {}
const reads: Record<string, DescriptionRead> = {}

// The compiler is started once for all files.
beforeAll(async () => {
  forum = await forumApi()
  project = await openProject()
  reads['forum'] = await readFrom(`${forum.origin}/openapi.yaml`)
  reads['shop'] = await readFrom(fileOf('shop.json'), { given: new Map([['site', 'a/b']]) })
  reads['articles'] = await readFrom(fileOf('articles.json'))
  for (const [name, { found }] of Object.entries(reads))
    files[name] = await project.write(`pipelines/${name}.ts`, pipelineText(found))
})
afterAll(async () => {
  await forum[Symbol.asyncDispose]()
  await project[Symbol.asyncDispose]()
})

test('the written files type-check', async () => {
  await expect(project.typeCheck()).resolves.toBe('')
})

test('a written pipeline reads all records of the API, children and their children too', async () => {
  await using database = await testDatabase()
  const { default: pipeline } = (await import(files['forum'] ?? '')) as { default: Pipeline }
  const report = await runPipeline(pipeline, { database: database.url, environment: { FORUM_KEY: KEY } })
  const count = async (table: string): Promise<unknown> =>
    (await database.database.query(`select count(*)::int as n from forum.${table}`))[0]
  await expect(count('users')).resolves.toEqual({ n: USERS })
  await expect(count('posts')).resolves.toEqual({ n: USERS * POSTS_OF_EACH })
  await expect(count('comments')).resolves.toEqual({ n: USERS * POSTS_OF_EACH * COMMENTS_OF_EACH })
  await expect(
    database.database.query('select user_id::int, post_id::int from forum.comments order by 1 desc, 2 desc limit 1'),
  ).resolves.toEqual([{ user_id: USERS, post_id: POSTS_OF_EACH }])
  const { users, posts, badges } = report.streams
  expect(users).toMatchObject({ completeness: { grade: 'counted' } })
  expect(posts).toMatchObject({ completeness: { grade: 'ended' } })
  // The description states no paging of badges: their one record may be the first of many.
  expect(badges).toMatchObject({ status: 'done', completeness: { grade: 'open' } })
})

describe('the forum (OpenAPI 3.0, YAML)', () => {
  test('lists become streams with their paginators, keys and parents', () => {
    const { found } = reads['forum'] ?? { found: undefined }
    expect(found).toMatchObject({
      name: 'forum',
      base: `${forum.origin}/v1`,
      baseVariable: 'FORUM_API',
      auth: [{ type: 'header', name: 'X-Forum-Key', value: { secret: 'FORUM_KEY' } }],
    })
    expect(found?.streams).toMatchObject([
      {
        name: 'users',
        query: { per_page: 50, state: 'all' },
        records: { shape: 'list', at: 'users' },
        paging: { type: 'page', parameter: 'page', start: 1, pages: 'meta.pages', total: 'meta.total' },
        key: ['id'],
        questions: [],
      },
      { name: 'badges', paging: { type: 'one page', atMost: 1 }, questions: [expect.stringMatching(/all records/)] },
      {
        name: 'posts',
        query: { limit: 30 },
        parent: { stream: 'users', parameters: { userId: 'id' }, keeps: { user_id: 'id' } },
        paging: { type: 'cursor', parameter: 'cursor', at: 'next_cursor' },
        key: ['user_id', 'id'],
      },
      {
        name: 'comments',
        parent: {
          stream: 'posts',
          parameters: { userId: 'user_id', postId: 'id' },
          keeps: { user_id: 'user_id', post_id: 'id' },
        },
        paging: { type: 'link header', rel: 'next' },
        key: ['user_id', 'post_id', 'id'],
        questions: [expect.stringMatching(/^Does each record have 'id'/)],
      },
    ])
  })

  test('types have what the schemas state: references, enums, null, maps, alternatives', async () => {
    const text = await readFile(files['forum'] ?? '', 'utf8')
    for (const line of [
      "  role?: 'admin' | 'member'",
      '  id: number | bigint',
      '  manager?: User',
      '  best?: Post | null',
      '  content?: { kind: string; text?: string; url?: string }',
      '  labels?: Record<string, string>',
      "  'the-name'?: string",
    ])
      expect(text.split('\n')).toContain(line)
    expect(text).not.toContain('password')
  })

  test('all other operations are named with the reason, in the file too', async () => {
    expect(reads['forum']?.leftOut).toEqual([
      { operation: 'POST /users', reason: 'no list: it is not read by GET' },
      { operation: 'GET /users/{id}', reason: 'one record, not a list' },
      { operation: 'GET /tags', reason: 'values, not records' },
      { operation: 'GET /export', reason: 'answers text/csv' },
      {
        operation: 'GET /groups/{group}/members (members: group)',
        reason: 'needs values that no list has (--set)',
        needs: { name: 'members', path: '/groups/{group}/members', parameters: ['group'] },
      },
    ])
    const text = await readFile(files['forum'] ?? '', 'utf8')
    expect(text).toContain('// - one record, not a list: GET /users/{id}\n')
  })

  test('--only takes lists with their parents, --set gives a value, and an unknown name is an error', async () => {
    const place = `${forum.origin}/openapi.yaml`
    expect(namesIn(await readFrom(place, { only: ['comments'], given: new Map() }))).toEqual([
      'users',
      'posts',
      'comments',
    ])
    const { found } = await readFrom(place, { only: ['members'], given: new Map([['group', 'a b']]) })
    expect(found.streams).toMatchObject([{ name: 'members', path: '/groups/a%20b/members' }])
    await expect(readFrom(place, { only: ['members'], given: new Map() })).rejects.toThrow(
      '--only members: GET /groups/{group}/members needs values that no list has (--set): group',
    )
    await expect(readFrom(place, { only: ['user'], given: new Map() })).rejects.toThrow(/Similar ones: users\. --list/)
  })
})

test('the shop (Swagger 2.0): basic credentials, offsets, a loose parent, required parameters, no key', async () => {
  const { found, leftOut } = reads['shop'] ?? { found: { streams: [] } as unknown as Found, leftOut: [] }
  expect(found).toMatchObject({
    name: 'shop',
    base: 'https://shop.example/api/v2',
    auth: [{ type: 'basic', password: { secret: 'SHOP_PASSWORD' } }],
  })
  expect(streamIn(found, 'orders')).toMatchObject({
    query: { count: 1_000 },
    // `count` is the number in this answer: as a total it would end the reading early.
    paging: { type: 'offset', parameter: 'offset', start: 0, limit: 'count' },
    key: ['order_id'],
  })
  expect(streamIn(found, 'orders')?.paging).not.toHaveProperty('total')
  expect(streamIn(found, 'lines')).toMatchObject({
    parent: { stream: 'orders', parameters: { orderId: 'order_id' }, keeps: { parent_order_id: 'order_id' } },
    key: [],
  })
  expect(streamIn(found, 'product_find_by_status')).toMatchObject({
    query: { status: 'new,sold' },
    key: [],
    questions: expect.arrayContaining([expect.stringMatching(/^Which field is the key, perhaps 'sku'/)]),
  })
  expect(leftOut.map(({ reason }) => reason)).toEqual([
    'an object whose names are data: fromMembers() reads it',
    'a list by POST, perhaps: api.post() reads it',
    'needs values that no list has (--set)',
    'deprecated: --only reads it',
  ])
  const without = await readFrom(fileOf('shop.json'))
  expect(without.leftOut.flatMap(({ needs }) => needs?.parameters ?? [])).toEqual(['site', 'depth'])
})

test('the articles (OpenAPI 3.1): JSON:API, client credentials, a region, a cursor that fits its parameter', () => {
  const { found } = reads['articles'] ?? { found: { streams: [] } as unknown as Found }
  expect(found).toMatchObject({
    base: 'https://eu.articles.example',
    auth: [
      {
        type: 'client credentials',
        tokenUrl: 'https://eu.articles.example/oauth/token',
        clientSecret: { secret: 'ARTICLES_CLIENT_SECRET' },
        scope: 'articles:read',
      },
    ],
    questions: [expect.stringMatching(/^Which region\?.*eu, us/)],
  })
  expect(found.streams).toMatchObject([
    {
      name: 'articles',
      query: { 'page[size]': 25, 'filter[updated_at][gte]': { bound: 'since' } },
      records: { shape: 'resources', at: 'data' },
      paging: { type: 'next url', at: 'links.next', total: 'meta.total_count' },
      cursor: { at: 'updated_at' },
      key: ['id'],
    },
    {
      name: 'events',
      query: { limit: 500, updated_since: { bound: 'since' } },
      paging: { type: 'last record', parameter: 'starting_after', at: 'data.id', more: 'has_more' },
      cursor: { at: 'updated_at' },
    },
  ])
})

test.each(Object.entries(PAGING_CASES))('paging: %s', (_, { query, body, headers = [], paging, asks = 0 }) => {
  const parameters = Object.entries(query).map(([name, schema]) => ({ name, in: 'query', schema }))
  const answer = {
    headers: Object.fromEntries(headers.map((name) => [name, { schema: { type: 'string' } }])),
    content: { 'application/json': { schema: body } },
  }
  const root = { openapi: '3.0.0', paths: { '/list': { get: { parameters, responses: { 200: answer } } } } }
  const { found } = readOpenApi(new Description(root, 'it.json'), none)
  expect(found.streams).toHaveLength(1)
  expect(found.streams[0]?.paging).toEqual(paging)
  const asked = found.streams[0]?.questions?.filter((one) => /first page|next page|all records/.test(one))
  expect(asked).toHaveLength(asks)
})

test('a parameter that --auth or --header sends is neither missing nor asked for', () => {
  const parameters = [
    { name: 'X-Tenant', in: 'header', required: true, schema: { type: 'string' } },
    { name: 'key', in: 'query', required: true, schema: { type: 'string' } },
  ]
  const record = { type: 'object', properties: { id: { type: 'number' } }, required: ['id'] }
  const schema = { type: 'array', items: record }
  const responses = { 200: { content: { 'application/json': { schema } } } }
  const root = { openapi: '3.0.0', paths: { '/things': { get: { parameters, responses } } } }
  const description = new Description(root, 'it.json')
  expect(() => readOpenApi(description, none)).toThrow('GET /things (things: key)')
  const auth = [{ type: 'query', name: 'key', value: { secret: 'MY_KEY' } }] as const
  const { found } = readOpenApi(description, { ...none, auth, headers: { 'x-tenant': 'a' } })
  expect(found).toMatchObject({ auth, headers: { 'x-tenant': 'a' } })
  expect([...(found.questions ?? []), ...(found.streams[0]?.questions ?? [])].join(' ')).not.toMatch(
    /tenant|credential/i,
  )
})

test.each([
  ['may be left out', [{ basic: [] }, {}], undefined, 'works without'],
  ['are wanted', [{ basic: [] }], [{ type: 'basic' }], 'Which user'],
])('credentials that %s', (_, security, auth, question) => {
  const schema = { type: 'array', items: { type: 'object', properties: { id: { type: 'number' } } } }
  const responses = { 200: { content: { 'application/json': { schema } } } }
  const components = { securitySchemes: { basic: { type: 'http', scheme: 'basic' } } }
  const root = { openapi: '3.0.3', components, paths: { '/things': { get: { security, responses } } } }
  const { found } = readOpenApi(new Description(root, 'it.json'), none)
  expect(found.auth ?? []).toMatchObject(auth ?? [])
  expect(found.questions?.join(' ')).toContain(question)
})

test('what is no description is refused with a reason', async () => {
  const refused = (name: string, text: string): Promise<unknown> =>
    project.write(`other/${name}`, text).then((file) => readFrom(file))
  await expect(refused('a.json', '{ "openapi"')).rejects.toThrow(/a\.json is no description of an API: /)
  await expect(refused('b.yaml', 'a: b')).rejects.toThrow(/neither a member 'openapi' nor a member 'swagger'/)
  await expect(refused('c.yaml', '<!DOCTYPE html>')).rejects.toThrow(/it is a page/)
  await expect(refused('d.yaml', 'swagger: 1.2\npaths: { /a: {} }')).rejects.toThrow(/this is 1\.2/)
  await expect(refused('e.yaml', 'openapi: 3.0.0')).rejects.toThrow(/has no paths/)
  await expect(refused('f.yaml', 'openapi: 3.0.0\npaths: { /a: { get: {} } }')).rejects.toThrow(
    /no list that can be read\. Left out:\n- an answer whose type the description does not state: GET \/a/,
  )
  await expect(readFrom(`${forum.origin}/nothing`)).rejects.toThrow(/\/nothing answered 401\. Give the URL/)
  await expect(readFrom('http://127.0.0.1:1/openapi.json')).rejects.toThrow(/could not be read: /)
  await expect(readFrom('missing.json')).rejects.toThrow(/missing\.json could not be read/)
})

test('references that lead in circles, nowhere or elsewhere end', () => {
  const { found } = readOpenApi(new Description(CIRCLES, 'it.json'), none)
  expect(pipelineText(found)).toContain(
    'interface E {\n  id: number\n  base?: Base\n  a?: unknown\n  c?: unknown\n  d?: unknown[]\n}',
  )
  expect(pipelineText(found)).toContain('\n  Sub19?: number\n  kind?: number\n}\n')
})
