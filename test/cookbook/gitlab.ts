import { afterAll, expect } from '@jest/globals'
import { runPipeline as run } from '../../src/run/run-pipeline.ts'
import type { ApiRequest } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'
import { expectRefused, has, numbers, vendor } from './vendor.ts'

const at = (minute: number) => new Date(Date.UTC(2026, 0, 1) + minute * 60_000).toISOString()
let issues = numbers(1, 250).map((n) => ({
  id: n,
  iid: n,
  project_id: 1,
  title: `Issue ${n}`,
  description: null,
  state: 'opened',
  issue_type: 'issue',
  labels: ['a'],
  author: { username: 'ana' },
  assignees: [{ username: 'ben' }],
  milestone: null,
  user_notes_count: 0,
  web_url: '',
  created_at: at(0),
  updated_at: at(n),
  closed_at: null,
}))

function answer({ path, query }: ApiRequest) {
  expect(path).toBe('/projects/gitlab-org%2Fgitlab-runner/issues')
  expect(query.get('pagination')).toBe('keyset')
  const all = issues.filter(
    ({ updated_at }) => updated_at >= (query.get('updated_after') ?? '') && updated_at > (query.get('cursor') ?? ''),
  )
  const json = all.slice(0, 100)
  const next = new URLSearchParams({ ...Object.fromEntries(query), cursor: json.at(-1)?.updated_at ?? '' })
  const link = `<${api.origin}/api/v4${path}?${next.toString()}>; rel="next"`
  return { json, headers: all.length > 100 ? { link } : {} }
}

const reset = () => String(Math.ceil(Date.now() / 1_000) + 1)
const api = await vendor({
  base: 'GITLAB_API',
  prefix: '/api/v4',
  environment: { GITLAB_TOKEN: 'glpat-invented' },
  lets: has('private-token', 'glpat-invented'),
  busy: { status: 429, headers: { 'retry-after': '1', 'ratelimit-reset': reset() }, body: 'Retry later' },
  answer,
})
const { default: pipeline } = await import('../../docs/cookbook/gitlab.ts')
afterAll(async () => api[Symbol.asyncDispose]())

export async function gitlab(): Promise<void> {
  await using target = await testDatabase()
  const first = await run(pipeline, { database: target.url })
  expect(first.streams.issues).toMatchObject({ counts: { inserted: 250 }, completeness: { grade: 'ended' } })
  expect(api.served).toHaveLength(3)
  expect(api.waited).toBeGreaterThanOrEqual(990)

  issues = [...issues, { ...issues[9]!, title: 'Changed', updated_at: at(9_000) }].filter((_, index) => index !== 9)
  const second = await run(pipeline, { database: target.url })
  expect(second.streams.issues).toMatchObject({
    requests: 1,
    counts: { updated: 1, unchanged: 2 },
    completeness: { grade: 'ended' },
  })
  await expectRefused(pipeline, 'GITLAB_TOKEN', target.url)
}
