import { afterAll, expect } from '@jest/globals'
import { runPipeline as run } from '../../src/run/run-pipeline.ts'
import type { ApiRequest } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'
import { expectRefused, numbers, vendor } from './vendor.ts'

const at = (minute: number) => new Date(Date.UTC(2026, 0, 1) + minute * 60_000).toISOString()
const record = (n: number, updated = at(n), isDeleted = false) => [
  `006${n}`,
  String(isDeleted),
  updated,
  `"Deal ""${n}"", big"`,
  'Open',
  n === 1 ? '' : '10.5',
  '2026-03-01',
  '0011',
]
let records = numbers(1, 300).map((n) => record(n))
const HEADER = 'Id,IsDeleted,SystemModstamp,Name,StageName,Amount,CloseDate,AccountId'
/** Results of each job. */
const results = new Map<string, string[][]>()

/** Pages have 120 records here, in place of those that the request asks for. */
function answer({ path, query, method, body }: ApiRequest) {
  if (path === '/services/oauth2/token') {
    const isRight = new URLSearchParams(body).get('client_secret') === 'invented'
    return isRight ? { json: { access_token: 'granted' } } : { status: 400, json: { error: 'invalid_client' } }
  }
  const [, id = '', isResults] = /^\/services\/data\/v62\.0\/jobs\/query(?:\/(750\d+)(\/results)?)?$/.exec(path) ?? []
  if (method === 'POST') {
    const { operation, query } = JSON.parse(body) as { operation: string; query: string }
    expect(operation).toBe('queryAll')
    const since = /SystemModstamp >= (\S+)$/.exec(query)?.[1] ?? '2000-01-01'
    const job = `750${results.size}`
    results.set(
      job,
      records.filter(([, , updated = '']) => Date.parse(updated) >= Date.parse(since)),
    )
    return { json: { id: job, state: 'UploadComplete' } }
  }
  const found = results.get(id) ?? []
  if (isResults === undefined) return { json: { id, state: 'JobComplete', numberRecordsProcessed: found.length } }
  const from = Number(query.get('locator') ?? 0)
  const end = from + 120
  return {
    body: [HEADER, ...found.slice(from, end).map((row) => row.join(','))].join('\n'),
    headers: { 'content-type': 'text/csv', 'sforce-locator': end < found.length ? String(end) : 'null' },
  }
}

const api = await vendor({
  base: 'SALESFORCE_BULK_API',
  environment: { SALESFORCE_SECRET: 'invented', SALESFORCE_CLIENT: 'app-1' },
  lets: ({ path, headers }) => path === '/services/oauth2/token' || headers.authorization === 'Bearer granted',
  answer,
})
const { default: pipeline } = await import('../../docs/cookbook/salesforce-bulk.ts')
afterAll(async () => api[Symbol.asyncDispose]())

export async function salesforceBulk(): Promise<void> {
  await using target = await testDatabase()
  const first = await run(pipeline, { database: target.url })
  expect(first.streams.opportunities).toMatchObject({ counts: { inserted: 300 }, completeness: { grade: 'counted' } })

  records = [...records.slice(1), record(1, at(9_000), true)]
  const second = await run(pipeline, { database: target.url })
  expect(second.streams.opportunities).toMatchObject({
    counts: { updated: 1, unchanged: 11 },
    completeness: { grade: 'counted' },
  })
  const rows = await target.database.query(
    'select id, name, amount::text, close_date::text from salesforce.opportunities where is_deleted',
  )
  expect(rows).toEqual([{ id: '0061', name: 'Deal "1", big', amount: null, close_date: '2026-03-01' }])
  await expectRefused(pipeline, 'SALESFORCE_SECRET', target.url)
}
