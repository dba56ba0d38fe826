import { afterAll, expect } from '@jest/globals'
import { runPipeline as run } from '../../src/run/run-pipeline.ts'
import type { ApiRequest } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'
import { expectRefused, has, numbers, vendor } from './vendor.ts'

/** On the clock of the user's zone, two hours ahead of UTC; an hour apart. */
const at = (n: number) => new Date(Date.UTC(2026, 0, 1) + n * 3_600_000).toISOString().replace('Z', '+0200')
const issue = (n: number, updated = at(n), status = 'Open') => ({
  id: String(10_000 + n),
  key: `SHOP-${n}`,
  fields: {
    summary: `Issue ${n}`,
    status: { name: status },
    issuetype: { name: 'Bug' },
    project: { key: 'SHOP' },
    priority: null,
    assignee: { displayName: 'Ana' },
    labels: ['a'],
    created: at(0),
    updated,
    resolutiondate: null,
  },
})
let issues = numbers(1, 250).map((n) => issue(n))

function answer({ path, query }: ApiRequest) {
  expect(path).toBe('/search/jql')
  const [, day = ''] = /^updated >= "(\d{4}-\d\d-\d\d)" order by updated asc$/.exec(query.get('jql') ?? '') ?? []
  const all = issues.filter(({ fields: { updated } }) => updated >= day)
  const from = Number(query.get('nextPageToken') ?? 0)
  const end = from + Number(query.get('maxResults') ?? 50)
  const isLast = end >= all.length
  return { json: { issues: all.slice(from, end), isLast, ...(!isLast && { nextPageToken: String(end) }) } }
}

const api = await vendor({
  base: 'JIRA_API',
  prefix: '/rest/api/3',
  environment: { JIRA_EMAIL: 'ana@shop.example', JIRA_TOKEN: 'invented' },
  lets: has('authorization', `Basic ${Buffer.from('ana@shop.example:invented').toString('base64')}`),
  busy: { status: 429, headers: { 'retry-after': '1' }, body: 'Rate limit exceeded' },
  answer,
})
const { default: pipeline } = await import('../../docs/cookbook/jira.ts')
afterAll(async () => api[Symbol.asyncDispose]())

export async function jira(): Promise<void> {
  await using target = await testDatabase()
  const first = await run(pipeline, { database: target.url })
  expect(first.streams.issues).toMatchObject({
    counts: { inserted: 250 },
    cursor: '2026-01-11T10:00:00.000+0200',
    completeness: { grade: 'ended' },
  })
  expect(api.served).toHaveLength(3)
  expect(api.waited).toBeGreaterThanOrEqual(990)

  issues = [...issues.slice(1), issue(1, at(400), 'Done')]
  const second = await run(pipeline, { database: target.url })
  expect(api.served.at(-1)?.query.get('jql')).toContain('"2026-01-10"')
  expect(second.streams.issues).toMatchObject({
    counts: { updated: 1, unchanged: 25, filtered: 10 },
    completeness: { grade: 'ended' },
  })
  const [row] = await target.database.query("select status, updated from jira.issues where key = 'SHOP-1'")
  expect(row).toEqual({ status: 'Done', updated: new Date(Date.UTC(2026, 0, 1) + 398 * 3_600_000) })
  await expectRefused(pipeline, 'JIRA_TOKEN', target.url)
}
