import { afterAll, expect } from '@jest/globals'
import { runPipeline as run } from '../../src/run/run-pipeline.ts'
import type { ApiRequest } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'
import { expectRefused, has, numbers, vendor } from './vendor.ts'

const at = (minute: number) => new Date(Date.UTC(2026, 0, 1) + minute * 60_000).toISOString().replace('.000', '')
const dates = (n: number) => ({ created_at: at(0), updated_at: at(n), user: { login: 'ana' }, body: null })
const lists: Record<string, { id: number; updated_at: string; title?: string }[]> = {
  issues: numbers(1, 250).map((n) => ({
    ...dates(n),
    id: 1_000 + n,
    number: n,
    title: `Issue ${n}`,
    state: 'open',
    labels: [{ name: 'bug' }, 'old'],
    comments: 0,
    closed_at: null,
    ...(n === 5 && { pull_request: { merged_at: null } }),
  })),
  comments: numbers(1, 210).map((n) => ({
    ...dates(n),
    id: n,
    issue_url: 'https://api.github.com/repos/a/b/issues/7',
  })),
}

function answer({ path, query }: ApiRequest) {
  const all = lists[path.split('/').at(-1) ?? '']!.filter(
    ({ updated_at }) => updated_at >= (query.get('since')?.replace('.000', '') ?? ''),
  ).toSorted((a, b) => (a.updated_at < b.updated_at ? -1 : 1))
  const page = Number(query.get('page') ?? 1)
  const next = new URLSearchParams({ ...Object.fromEntries(query), page: String(page + 1) })
  const more = all.length > page * 100
  return {
    json: all.slice((page - 1) * 100, page * 100),
    headers: more ? { link: `<${api.origin}${path}?${next.toString()}>; rel="next"` } : {},
  }
}

const api = await vendor({
  base: 'GITHUB_API',
  environment: { GITHUB_TOKEN: 'github_pat_invented' },
  lets: has('authorization', 'Bearer github_pat_invented'),
  busy: { status: 403, headers: { 'retry-after': '1' }, json: { message: 'You have exceeded a secondary rate limit' } },
  answer,
})
const { default: pipeline } = await import('../../docs/cookbook/github.ts')
afterAll(async () => api[Symbol.asyncDispose]())

export async function github(): Promise<void> {
  await using target = await testDatabase()
  const first = await run(pipeline, { database: target.url })
  expect(first.streams).toMatchObject({
    issues: { counts: { inserted: 250 }, completeness: { grade: 'counted' } },
    comments: { counts: { inserted: 210 }, completeness: { grade: 'counted' } },
  })
  expect(api.waited).toBeGreaterThanOrEqual(990)

  lists['issues']![3] = { ...lists['issues']![3]!, title: 'Changed', updated_at: at(9_000) }
  const second = await run(pipeline, { database: target.url })
  expect(second.streams).toMatchObject({
    issues: { counts: { updated: 1, unchanged: 6 }, completeness: { grade: 'counted' } },
    comments: { counts: { unchanged: 6 } },
  })
  const rows = await target.database.query('select number::int, title from github.issues where number in (4, 5)')
  expect(rows).toEqual(expect.arrayContaining([{ number: 4, title: 'Changed' }]))
  await expectRefused(pipeline, 'GITHUB_TOKEN', target.url)
}
