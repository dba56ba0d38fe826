import { afterAll, expect } from '@jest/globals'
import { runPipeline as run } from '../../src/run/run-pipeline.ts'
import type { ApiRequest } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'
import { expectRefused, numbers, vendor } from './vendor.ts'

const at = (minute: number) => new Date(Date.UTC(2026, 0, 1) + minute * 60_000).toISOString().replace('Z', '+0000')
const record = (n: number, SystemModstamp = at(n), IsDeleted = false) => ({
  attributes: { type: 'Account', url: `/services/data/v62.0/sobjects/Account/${n}` },
  Id: `001${n}`,
  IsDeleted,
  SystemModstamp,
  Name: `Account ${n}`,
  AnnualRevenue: 10.5,
  CreatedDate: at(0),
})
let records = numbers(1, 4_300).map((n) => record(n))
let token = 'session-1'
let isBusy = false

/** A locator names the query and how many records are before it. */
function answer({ path, query, method, body }: ApiRequest) {
  if (path === '/services/oauth2/token') {
    const isRight = method === 'POST' && new URLSearchParams(body).get('client_secret') === 'invented'
    return isRight
      ? { json: { access_token: token, token_type: 'Bearer' } }
      : { status: 400, json: { error: 'invalid_client' } }
  }
  if (isBusy)
    return { status: 403, json: [{ errorCode: 'REQUEST_LIMIT_EXCEEDED', message: 'TotalRequests Limit exceeded.' }] }
  const [, since = '', from = '0'] = /^\/services\/data\/v62.0\/query\/01g-(.*)_(\d+)$/.exec(path) ?? []
  const text = query.get('q') ?? ''
  const bound = since || (/SystemModstamp >= (\S+) order/.exec(text)?.[1] ?? 'Z')
  if (!since) expect(path).toBe('/services/data/v62.0/queryAll')
  const all = records.filter((one) => bound === 'Z' || Date.parse(one.SystemModstamp) >= Date.parse(bound))
  const end = Number(from) + 2_000
  return {
    json: {
      totalSize: all.length,
      done: end >= all.length,
      ...(end < all.length && { nextRecordsUrl: `/services/data/v62.0/query/01g-${bound}_${end}` }),
      records: text.includes('from Contact') ? [] : all.slice(Number(from), end),
    },
  }
}

const api = await vendor({
  base: 'SALESFORCE_API',
  environment: { SALESFORCE_SECRET: 'invented', SALESFORCE_CLIENT: 'app-1' },
  lets: ({ path, headers }) => path === '/services/oauth2/token' || headers.authorization === `Bearer ${token}`,
  refusal: { status: 401, json: [{ errorCode: 'INVALID_SESSION_ID', message: 'Session expired or invalid' }] },
  answer,
})
const { default: pipeline } = await import('../../docs/cookbook/salesforce.ts')
afterAll(async () => api[Symbol.asyncDispose]())

export async function salesforce(): Promise<void> {
  await using target = await testDatabase()
  const first = await run(pipeline, { database: target.url, streams: ['accounts'] })
  expect(first.streams.accounts).toMatchObject({ counts: { inserted: 4_300 }, completeness: { grade: 'counted' } })
  expect(api.served).toHaveLength(1 + 3)

  records = [...records.slice(1), record(1, at(9_000), true)]
  token = 'session-2'
  const second = await run(pipeline, { database: target.url, streams: ['accounts'] })
  expect(second.streams.accounts).toMatchObject({
    counts: { updated: 1, unchanged: 11 },
    completeness: { grade: 'counted' },
  })
  const rows = await target.database.query('select id, system_modstamp from salesforce.accounts where is_deleted')
  expect(rows).toEqual([{ id: '0011', system_modstamp: new Date(Date.UTC(2026, 0, 1) + 9_000 * 60_000) }])
  await expectRefused(pipeline, 'SALESFORCE_SECRET', target.url)

  isBusy = true
  const third = await run(pipeline, { database: target.url })
  expect(third.streams.accounts).toMatchObject({
    status: 'failed',
    requests: 1,
    error: expect.stringContaining('REQUEST_LIMIT_EXCEEDED'),
  })
}
