import { afterAll, beforeEach, expect, test } from '@jest/globals'
import { run } from '../../src/index.ts'
import { apiServer } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'
import { Github, githubComment, githubIssue } from './github-server.ts'

let github = new Github()
const api = await apiServer((request) => github.handler(request))
process.env['GITHUB_API'] = api.origin
const { default: pipeline } = await import('../../pipelines/github.ts')

beforeEach(() => {
  github = new Github()
  process.env['GITHUB_TOKEN'] = github.token
})
afterAll(async () => {
  await api[Symbol.asyncDispose]()
})

const numbers = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index)

test('the pipeline reads every issue, a hundred at a time, by the links of the responses', async () => {
  github.issues = numbers(1, 250).map((number) => githubIssue(number))
  const rows = await Array.fromAsync(pipeline.streams.issues.rows())
  expect(rows.map(({ number }) => number)).toEqual(numbers(1, 250))
  expect(
    github.asked.map(({ path, query }) => [path, query.get('page'), query.get('per_page'), query.get('state')]),
  ).toEqual([
    ['/repos/nodejs/undici/issues', null, '100', 'all'],
    ['/repositories/132006681/issues', '2', '100', 'all'],
    ['/repositories/132006681/issues', '3', '100', 'all'],
  ])
  expect(github.asked[0]?.headers).toMatchObject({
    authorization: 'Bearer ghp_invented',
    accept: 'application/vnd.github+json',
    'x-github-api-version': '2022-11-28',
    'user-agent': 'sluice',
  })
})

test('an issue becomes a row that says if it is a pull request', async () => {
  github.issues = [githubIssue(1), githubIssue(420)]
  const [issue, pull] = await Array.fromAsync(pipeline.streams.issues.rows())
  expect(issue).toEqual({
    id: 2_000_000_001,
    repository: 'nodejs/undici',
    number: 1,
    is_pull_request: false,
    title: 'Keep-alive and 流 1',
    body: 'It hangs.\r\n\r\n`await 1` 🐢',
    state: 'open',
    state_reason: null,
    locked: false,
    author: 'octo1',
    author_association: 'CONTRIBUTOR',
    labels: ['bug'],
    assignees: [],
    milestone: undefined,
    comments: 1,
    html_url: 'https://github.com/nodejs/undici/issues/1',
    created_at: '2025-03-01T00:01:00Z',
    updated_at: '2025-03-01T01:01:00Z',
    closed_at: null,
    merged_at: undefined,
  })
  expect(pull).toMatchObject({
    number: 420,
    is_pull_request: true,
    body: null,
    author: undefined,
    labels: ['bug', 'old'],
    assignees: ['ana', 'ben'],
    milestone: 'v8',
    state: 'closed',
    merged_at: '2025-03-01T07:40:00Z',
  })
})

test('each comment becomes a row with the number of its issue', async () => {
  github.comments = numbers(1, 130).map((id) => githubComment(id, 1 + (id % 40)))
  const rows = await Array.fromAsync(pipeline.streams.comments.rows())
  expect(rows.map(({ id, issue_number }) => [id, issue_number])).toEqual(
    numbers(1, 130).map((id) => [id, 1 + (id % 40)]),
  )
  expect(rows[0]).toEqual({
    id: 1,
    repository: 'nodejs/undici',
    issue_number: 2,
    author: 'octo1',
    author_association: 'NONE',
    body: 'Me too, 1',
    html_url: 'https://github.com/nodejs/undici/issues/2#issuecomment-1',
    created_at: '2025-03-01T00:01:00Z',
    updated_at: '2025-03-01T00:06:00Z',
  })
  expect(github.asked).toHaveLength(2)
})

test('no issue is lost when one is changed while the pages are read', async () => {
  github.issues = numbers(1, 250).map((number) => githubIssue(number))
  const seen = new Set<number>()
  for await (const { number } of pipeline.streams.issues.rows()) {
    seen.add(number)
    // The changed issue keeps its place, whether or not page 2 is already requested.
    if (number === 100) github.issues[4] = githubIssue(5, { updated_at: '2025-09-09T09:09:09Z' })
  }
  expect(seen.size).toBe(250)
})

test('a missing token is an error that names its variable', async () => {
  delete process.env['GITHUB_TOKEN']
  await expect(Array.fromAsync(pipeline.streams.issues.rows())).rejects.toThrow('GITHUB_TOKEN')
  expect(github.asked).toEqual([])
})

test('a wrong token fails the run at once, and the error does not contain it', async () => {
  process.env['GITHUB_TOKEN'] = 'ghp_somebody_elses'
  const failed = Array.fromAsync(pipeline.streams.issues.rows())
  await expect(failed).rejects.toThrow(/\/repos\/nodejs\/undici\/issues.* answered 401/)
  await expect(failed).rejects.not.toThrow('ghp_somebody_elses')
  expect(github.asked).toHaveLength(1)
})

test.each([
  [
    "the hour's requests are used up",
    403,
    'API rate limit exceeded for user ID 583231.',
    () => ({ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(Math.ceil(Date.now() / 1_000) + 1) }),
  ],
  [
    "the hour's requests are used up",
    429,
    'API rate limit exceeded for user ID 583231.',
    () => ({ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(Math.ceil(Date.now() / 1_000) + 1) }),
  ],
  [
    'there were too many in a short time',
    403,
    'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.',
    () => ({ 'retry-after': '1' }),
  ],
])('waits and goes on when %s (%i)', async (_, status, message, headers) => {
  github.issues = numbers(1, 150).map((number) => githubIssue(number))
  github.instead.set(1, {
    status,
    json: {
      message,
      documentation_url: 'https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api',
      status: String(status),
    },
    headers: headers(),
  })
  const rows = await Array.fromAsync(pipeline.streams.issues.rows())
  expect(rows.map(({ number }) => number)).toEqual(numbers(1, 150))
  expect(github.asked).toHaveLength(3)
})

test('a used-up hour ends the run with the time to come back, and a later run resumes there', async () => {
  await using target = await testDatabase()
  github.issues = numbers(1, 250).map((number) => githubIssue(number))
  const reset = Math.ceil(Date.now() / 1_000) + 3_000
  github.instead.set(1, {
    status: 403,
    json: { message: 'API rate limit exceeded for user ID 583231.' },
    headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(reset) },
  })
  const first = await run(pipeline, { database: target.url, streams: ['issues'], throwOnFailure: false })
  expect(first).toMatchObject({
    status: 'failed',
    streams: {
      issues: { status: 'failed', counts: { inserted: 100 }, error: expect.stringContaining('Run again then') },
    },
  })
  expect(github.asked).toHaveLength(2)

  github.asked.length = 0
  github.instead.clear()
  // A run that starts too early sends no request, because the ledger holds the limit that the API stated.
  expect(await run(pipeline, { database: target.url, streams: ['issues'], throwOnFailure: false })).toMatchObject({
    status: 'failed',
    streams: { issues: { error: expect.stringContaining('Run again then') } },
  })
  expect(github.asked).toHaveLength(0)
  // The hour is over.
  await target.database.query('update sluice.rates set remaining_until = clock_timestamp()')
  const second = await run(pipeline, { database: target.url, streams: ['issues'] })
  // The rest of the slice is read first. Then the lookback of the cursor reads the last six again.
  expect(second).toMatchObject({
    status: 'done',
    streams: { issues: { resumed: true, counts: { fetched: 150 + 6, inserted: 150, unchanged: 6 } } },
  })
  expect(github.asked.map(({ query }) => [query.get('page'), query.get('since')])).toEqual([
    // The page before the position, to see that the list has not moved since.
    ['1', null],
    ['2', null],
    ['3', null],
    [null, '2025-03-01T05:05:00Z'],
  ])
})

test('the first run stores issues and comments, and the next one reads only changes', async () => {
  await using target = await testDatabase()
  github.issues = numbers(1, 120).map((number) => githubIssue(number))
  github.comments = numbers(1, 30).map((id) => githubComment(id, id))
  expect(await run(pipeline, { database: target.url })).toMatchObject({
    status: 'done',
    streams: {
      issues: { counts: { inserted: 120 }, cursor: '2025-03-01T03:00:00Z' },
      comments: { counts: { inserted: 30 }, cursor: '2025-03-01T00:35:00Z' },
    },
  })

  github.asked.length = 0
  github.issues[4] = githubIssue(5, {
    state: 'closed',
    state_reason: 'not_planned',
    updated_at: '2025-03-02T08:00:00Z',
  })
  github.issues.push(githubIssue(121, { created_at: '2025-03-02T09:00:00Z', updated_at: '2025-03-02T09:00:00Z' }))
  github.comments[0] = githubComment(1, 1, { body: 'Found it.', updated_at: '2025-03-02T10:00:00Z' })
  const second = await run(pipeline, { database: target.url })
  // The lookback of five minutes reads the last few again, which are unchanged.
  expect(second).toMatchObject({
    status: 'done',
    streams: {
      issues: {
        since: '2025-03-01T03:00:00Z',
        counts: { fetched: 8, inserted: 1, updated: 1, unchanged: 6 },
        cursor: '2025-03-02T09:00:00Z',
      },
      comments: {
        since: '2025-03-01T00:35:00Z',
        counts: { fetched: 7, inserted: 0, updated: 1, unchanged: 6 },
        cursor: '2025-03-02T10:00:00Z',
      },
    },
  })
  expect(Object.fromEntries(github.asked.map(({ path, query }) => [path, query.get('since')]))).toEqual({
    '/repos/nodejs/undici/issues': '2025-03-01T02:55:00Z',
    '/repos/nodejs/undici/issues/comments': '2025-03-01T00:30:00Z',
  })
  expect(
    await target.database
      .query(`select i.number::int, i.state, i.state_reason, i.labels, i.is_pull_request, i.closed_at, c.body
    from github.issues i left join github.comments c on c.issue_number = i.number
    where i.number in (1, 5, 121) order by 1`),
  ).toEqual([
    {
      number: 1,
      state: 'open',
      state_reason: null,
      labels: ['bug'],
      is_pull_request: false,
      closed_at: null,
      body: 'Found it.',
    },
    {
      number: 5,
      state: 'closed',
      state_reason: 'not_planned',
      labels: ['bug'],
      is_pull_request: false,
      closed_at: null,
      body: 'Me too, 5',
    },
    {
      number: 121,
      state: 'open',
      state_reason: null,
      labels: ['bug'],
      is_pull_request: false,
      closed_at: null,
      body: null,
    },
  ])
})

test('no row of the ledger contains the token', async () => {
  await using target = await testDatabase()
  github.issues = numbers(1, 150).map((number) => githubIssue(number))
  github.instead.set(1, {
    status: 404,
    json: { message: 'Not Found', documentation_url: 'https://docs.github.com/rest', status: '404' },
  })
  const report = await run(pipeline, { database: target.url, streams: ['issues'], throwOnFailure: false })
  expect(report.status).toBe('failed')
  const tables = await target.database.query<{ name: string }>(
    `select table_name as name from information_schema.tables where table_schema = 'sluice'`,
  )
  expect(tables.length).toBeGreaterThan(3)
  const rows = await Promise.all(
    tables.map(({ name }) => target.database.query(`select to_jsonb(t)::text from sluice."${name}" t`)),
  )
  expect(JSON.stringify([rows, report])).not.toContain(github.token)
})
