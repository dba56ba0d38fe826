import { afterAll, expect } from '@jest/globals'
import { runPipeline as run } from '../../src/run/run-pipeline.ts'
import type { ApiRequest } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'
import { expectRefused, has, numbers, vendor } from './vendor.ts'

const items = numbers(1, 450).map((n) => ({
  id: `item-${n}`,
  name: `File ${n}`,
  size: n,
  parentReference: { id: 'root', path: '/drive/root:' },
  lastModifiedDateTime: '2026-01-01T00:00:00Z',
  file: { mimeType: 'text/plain' },
}))
let changes: object[] = []
let isExpired = false

/** A token says from where to read: the list, or the changes. An empty page stands in the middle. */
function answer({ path, query }: ApiRequest) {
  const url = (token: string) => `${api.origin}/v1.0${path}?token=${token}`
  const token = query.get('token') ?? '0'
  if (token === 'changes' && isExpired) return { status: 410, json: { error: { code: 'resyncRequired' } } }
  if (token === 'changes') return { json: { value: changes, '@odata.deltaLink': url('changes') } }
  if (token === 'empty') return { json: { value: [], '@odata.nextLink': url('200') } }
  const from = Number(token)
  const next = from === 0 ? { '@odata.nextLink': url('empty') } : { '@odata.nextLink': url(String(from + 200)) }
  const end = from + 200 >= items.length
  return { json: { value: items.slice(from, from + 200), ...(end ? { '@odata.deltaLink': url('changes') } : next) } }
}

const login = await vendor({
  base: 'GRAPH_LOGIN',
  environment: {
    GRAPH_TENANT: 'tenant-1',
    GRAPH_CLIENT_ID: 'app-1',
    GRAPH_CLIENT_SECRET: 'invented',
    GRAPH_DRIVE: 'd1',
  },
  lets: ({ body }) => new URLSearchParams(body).get('client_secret') === 'invented',
  refusal: { status: 401, json: { error: 'invalid_client' } },
  answer: ({ path, body }) =>
    path === '/tenant-1/oauth2/v2.0/token' &&
    new URLSearchParams(body).get('scope') === 'https://graph.microsoft.com/.default'
      ? { json: { token_type: 'Bearer', expires_in: 3_599, access_token: 'granted' } }
      : { status: 400 },
})
const api = await vendor({
  base: 'GRAPH_API',
  prefix: '/v1.0',
  lets: has('authorization', 'Bearer granted'),
  busy: { status: 429, headers: { 'retry-after': '1' }, json: { error: { code: 'activityLimitReached' } } },
  answer,
})
const { default: pipeline } = await import('../../docs/cookbook/microsoft-graph.ts')
afterAll(async () => {
  await api[Symbol.asyncDispose]()
  await login[Symbol.asyncDispose]()
})

export async function microsoftGraph(): Promise<void> {
  await using target = await testDatabase()
  const first = await run(pipeline, { database: target.url })
  expect(first.streams.items).toMatchObject({ counts: { inserted: 450 }, completeness: { grade: 'ended' } })
  expect(api.served).toHaveLength(4)
  expect(api.waited).toBeGreaterThanOrEqual(990)

  changes = [
    { ...items[0], name: 'Renamed' },
    { id: 'item-2', deleted: { state: 'deleted' } },
  ]
  const second = await run(pipeline, { database: target.url })
  expect(second.streams.items).toMatchObject({
    requests: 1,
    counts: { fetched: 2, updated: 2 },
    completeness: { grade: 'ended' },
  })
  expect(await target.database.query('select id from microsoft_graph.drive_items where is_deleted')).toEqual([
    { id: 'item-2' },
  ])

  isExpired = true
  const third = await run(pipeline, { database: target.url })
  expect(third.streams.items).toMatchObject({ counts: { fetched: 450 }, warnings: [expect.stringContaining('token')] })
  await expectRefused(pipeline, 'GRAPH_CLIENT_SECRET', target.url)
}
