import { afterAll, expect } from '@jest/globals'
import { runPipeline as run } from '../../src/run/run-pipeline.ts'
import type { ApiRequest } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'
import { numbers, vendor } from './vendor.ts'

const start = Math.floor(Date.now() / 1_000) * 1_000 - 3_000_000
const change = (n: number, second = n * 2, more: object = { type: 'edit' }) => ({
  rcid: n,
  ns: 0,
  title: `Page ${n}`,
  pageid: n,
  revid: 1,
  old_revid: 0,
  user: 'Ana',
  bot: false,
  minor: false,
  oldlen: 1,
  newlen: 2,
  timestamp: new Date(start + second * 1_000).toISOString().replace('.000', ''),
  comment: 'typo',
  ...more,
})
let isBroken = false
const changes = numbers(1, 1_300).map((n) => change(n))

function answer({ path, query }: ApiRequest) {
  expect(path).toBe('/api.php')
  expect(query.get('rcdir')).toBe('newer')
  if (isBroken) return { json: { error: { code: 'badvalue', info: 'Bad value for rcprop' } } }
  const all = changes.filter(({ timestamp }) => timestamp >= (query.get('rcstart') ?? '').replace('.000', ''))
  const from = all.findIndex(({ timestamp, rcid }) => `${timestamp}|${rcid}` === query.get('rccontinue'))
  const page = all.slice(Math.max(from, 0), Math.max(from, 0) + 500)
  const next = all[Math.max(from, 0) + 500]
  const more = next && { continue: { rccontinue: `${next.timestamp}|${next.rcid}`, continue: '-||' } }
  return { json: { ...more, query: { recentchanges: page } } }
}

const api = await vendor({
  base: 'WIKIPEDIA_API',
  prefix: '/w',
  lets: ({ headers }) => headers['user-agent']?.startsWith('sluice-cookbook/1.0 (https://') ?? false,
  refusal: { status: 403, body: 'Please set a user-agent' },
  busy: {
    headers: { 'retry-after': '1', 'mediawiki-api-error': 'maxlag' },
    json: { error: { code: 'maxlag', info: 'Waiting for a database server: 8 seconds lagged.', lag: 8 } },
  },
  answer,
})
const { default: pipeline } = await import('../../docs/cookbook/wikipedia.ts')
afterAll(async () => api[Symbol.asyncDispose]())

export async function wikipedia(): Promise<void> {
  await using target = await testDatabase()
  const first = await run(pipeline, { database: target.url })
  expect(first.streams.changes).toMatchObject({ counts: { inserted: 1_300 }, completeness: { grade: 'ended' } })
  expect(api.served).toHaveLength(3)
  expect(api.waited).toBeGreaterThanOrEqual(990)

  changes.push(change(1_301, 2_610, { type: 'log', logtype: 'delete', logaction: 'delete' }))
  const second = await run(pipeline, { database: target.url })
  expect(second.streams.changes).toMatchObject({
    requests: 1,
    counts: { inserted: 1, unchanged: 31 },
    completeness: { grade: 'ended' },
  })
  expect(await target.database.query("select title from wikipedia.changes where logtype = 'delete'")).toEqual([
    { title: 'Page 1301' },
  ])

  isBroken = true
  const third = await run(pipeline, { database: target.url })
  expect(third.streams.changes).toMatchObject({ status: 'failed', error: expect.stringContaining('Bad value') })
}
