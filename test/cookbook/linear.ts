import { afterAll, expect } from '@jest/globals'
import { runPipeline as run } from '../../src/run/run-pipeline.ts'
import type { ApiRequest } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'
import { expectRefused, has, numbers, vendor } from './vendor.ts'

const at = (minute: number) => new Date(Date.UTC(2026, 0, 1) + minute * 60_000).toISOString()
const issue = (n: number, updatedAt = at(n), trashed: boolean | null = null) => ({
  id: `issue-${n}`,
  identifier: `SHOP-${n}`,
  title: `Issue ${n}`,
  priority: 2,
  estimate: null,
  trashed,
  createdAt: at(0),
  updatedAt,
  completedAt: null,
  canceledAt: null,
  archivedAt: null,
  state: { name: 'Todo', type: 'unstarted' },
  team: { key: 'SHOP' },
  assignee: null,
  labels: { nodes: [{ name: 'Bug' }] },
})
/** Newest change first. */
let issues = numbers(1, 250).map((n) => issue(251 - n))

function answer({ body }: ApiRequest) {
  const { query, variables } = JSON.parse(body) as { query: string; variables: { since: string; after?: string } }
  expect(query).toContain('includeArchived: true')
  const all = issues.filter(({ updatedAt }) => updatedAt >= variables.since)
  const from = all.findIndex(({ id }) => id === variables.after) + 1
  const nodes = all.slice(from, from + 100)
  const pageInfo = { hasNextPage: from + 100 < all.length, endCursor: nodes.at(-1)?.id ?? null }
  return { json: { data: { issues: { pageInfo, nodes } } } }
}

const api = await vendor({
  base: 'LINEAR_API',
  prefix: '/graphql',
  environment: { LINEAR_KEY: 'lin_api_invented' },
  lets: has('authorization', 'lin_api_invented'),
  busy: () => ({
    status: 400,
    headers: { 'x-ratelimit-requests-remaining': '0', 'x-ratelimit-requests-reset': String(Date.now() + 1_200) },
    json: { errors: [{ message: 'Rate limit exceeded', extensions: { code: 'RATELIMITED' } }] },
  }),
  answer,
})
const { default: pipeline } = await import('../../docs/cookbook/linear.ts')
afterAll(async () => api[Symbol.asyncDispose]())

export async function linear(): Promise<void> {
  await using target = await testDatabase()
  const first = await run(pipeline, { database: target.url })
  expect(first.streams.issues).toMatchObject({ counts: { inserted: 250 }, completeness: { grade: 'ended' } })
  expect(api.served).toHaveLength(3)
  expect(api.waited).toBeGreaterThan(1_000)

  issues = [issue(3, at(9_000), true), ...issues.filter(({ id }) => id !== 'issue-3')]
  const second = await run(pipeline, { database: target.url })
  expect(second.streams.issues).toMatchObject({
    counts: { updated: 1, unchanged: 2 },
    completeness: { grade: 'ended' },
  })
  expect(await target.database.query('select identifier, team, labels from linear.issues where trashed')).toEqual([
    { identifier: 'SHOP-3', team: 'SHOP', labels: ['Bug'] },
  ])
  await expectRefused(pipeline, 'LINEAR_KEY', target.url)
}
