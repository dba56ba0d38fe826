import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { listLines } from '../../../src/cli/commands/inspect/description-lists.ts'
import { forumApi } from '../../probe/openapi/forum-api.ts'
import { apiServer, type ApiServer } from '../../support/api-server.ts'
import { stylesHandler } from '../../probe/styles.ts'
import { callSluice } from '../support/call.ts'

let api: ApiServer
let cwd: string
beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'sluice-probe-'))
  api = await apiServer((request) => {
    const { path, query, headers } = request
    if (path === '/v1/not-ok') return { json: { ok: false, error: 'not_authed' } }
    if (path === '/v1/clear') return { status: 400, json: { error: 'no \u001B[2Jway' } }
    if (path === '/v1/empty') return { json: { items: [], total: 0 } }
    // After the probe, the way to the next page has another name.
    if (path === '/v1/renamed') {
      const asked = api.requests.filter((one) => one.path === path).length
      const next = `/v1/renamed?cursor=${Number(query.get('cursor') ?? 0) + 1}`
      const data = Array.from({ length: 10 }, (_, n) => ({ id: Number(query.get('cursor') ?? 0) * 10 + n }))
      return { json: asked > 3 ? { data, next_page_url: next } : { data, next } }
    }
    if (path === '/v1/secret' && headers.authorization !== 'Bearer very-secret-token')
      return {
        status: 401,
        headers: { 'www-authenticate': 'Bearer realm="shop"' },
        json: { error: { message: 'No token was sent.' } },
      }
    return stylesHandler({ ...request, path: path === '/v1/secret' ? '/page-token' : path.slice(3) })
  })
})
afterAll(async () => {
  await rm(cwd, { recursive: true })
  await api[Symbol.asyncDispose]()
})
const sluice = (...args: string[]): ReturnType<typeof callSluice> =>
  callSluice(['probe', ...args], { cwd, env: { SHOP_TOKEN: 'very-secret-token' } })

test('sluice probe shows each request and what was found, writes a file, and reads two pages with it', async () => {
  const before = api.requests.length
  const { code, stdout, stderr } = await sluice(`${api.origin}/v1/page-pages`, '--name', 'shop')
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout).toMatch(/^Asking http:\/\/127.0.0.1:\d+: at most 12 GET requests, one after the other\. Then /)
  expect(stdout).toMatch(/\n1 {2}GET http:\/\/127.0.0.1:\d+\/v1\/page-pages\n {3}→ 200 application\/json\n2 {2}GET /)
  expect(stdout).toContain("\npaging     byPage('page', { pages: 'total_pages' }): page=2 has 10 other records\n")
  expect(stdout).toContain('\npage size  per_page=100 gives 43\n')
  expect(stdout).toContain('\nkey        id, different in all of them\n')
  expect(stdout).toMatch(
    /\nWrote pipelines\/shop\.ts, with 1 question \(\/\/ QUESTION: …\)\.\n {2}\? Can the API filter by/,
  )
  expect(stdout).toMatch(/\nRead it once, nothing was stored: 1 page of 43 records, 43 different records\.\n/)
  expect(stdout).toContain('\nNext:  npx sluice run shop\n')
  expect(api.requests.length - before).toBeLessThanOrEqual(10)

  const again = await sluice(`${api.origin}/v1/page-pages`, '--name', 'shop')
  expect([again.code, again.stderr]).toEqual([
    2,
    expect.stringMatching(/pipelines\/shop\.ts exists, and was not written/),
  ])
  expect(api.requests.length - before).toBeLessThanOrEqual(10)
})

test('credentials are named by their variables, and are in no output and no file', async () => {
  const refused = await sluice(`${api.origin}/v1/secret`)
  expect([refused.code, refused.stderr]).toEqual([
    1,
    expect.stringMatching(
      /answered 401: No token was sent\. It asks for: Bearer realm="shop"\..* give --auth bearer:VARIABLE\. No file/,
    ),
  ])
  const { code, stdout } = await sluice(`${api.origin}/v1/secret`, '--auth', 'bearer:SHOP_TOKEN', '--out', 'mine.ts')
  const file = await readFile(join(cwd, 'mine.ts'), 'utf8')
  expect([code, file]).toEqual([0, expect.stringContaining("auth: bearer(secret('SHOP_TOKEN'))")])
  // Without --name, the file gives the pipeline its name.
  expect(file).toContain("export default pipeline('mine', {")
  expect(stdout + file).not.toContain('very-secret')
  expect(stdout).toContain('2 pages of 10 and 10 records, 20 different records.')
})

test.each([
  [['not-a-url'], 2, /"not-a-url" is not a URL/],
  [['http://user:pw@127.0.0.1/x'], 2, /contains credentials/],
  [['http://127.0.0.1/x?api_key=abcdef'], 2, /contains a secret: http:\/\/127\.0\.0\.1\/x\?api_key=\*\*\*\. Set it as/],
  [
    ['http://127.0.0.1/x?page=1&api_token=abc'],
    2,
    /contains a secret: http:\/\/127\.0\.0\.1\/x\?page=1&api_token=\*\*\*/,
  ],
  [['http://127.0.0.1/x?appid=0123456789abcdef0123456789abcdef'], 2, /contains a secret: .*appid=\*\*\*/],
  [
    ['http://127.0.0.1/x', '--auth', 'bearer:ghp_b0XyZ91'],
    2,
    /^(?!.*b0XyZ91).*the variable that --auth bearer names is not set/,
  ],
  [['http://127.0.0.1/x', '--auth', 'bearer:eyJhbGciOi.J9'], 2, /--auth bearer:…: give it as bearer:VARIABLE, basic/],
  [['http://127.0.0.1/x', '--auth', 'bearer:UNSET_TOKEN'], 2, /UNSET_TOKEN is not set/],
  [['http://127.0.0.1/x', '--header', 'X-Api-Key: abc'], 2, /give --auth header:X-Api-Key:VARIABLE/],
])('wrong options are refused before anything is sent: %j', async (args, code, message) => {
  const ended = await sluice(...args)
  expect(ended).toMatchObject({ code, stderr: expect.stringMatching(message) })
})

test('a file that does not read on is a failure', async () => {
  const { code, stdout, stderr } = await sluice(`${api.origin}/v1/renamed`)
  expect(stdout).toContain("byNextUrl('next')")
  expect(code).toBe(1)
  expect(stderr).toMatch(/Read it once, nothing was stored: the reading ended with its first page: .*'next_page_url'/)
  expect(stderr).toContain('Correct pipelines/renamed.ts, then try it: npx sluice check renamed')
})

test('what is no list gets no file, and the reason is shown', async () => {
  const { stderr } = await sluice(`${api.origin}/v1/clear`)
  expect(stderr).toMatch(/answered 400: no /)
  expect(stderr).not.toContain('\u001B')
  const missing = await sluice(`${api.origin}/v1/nothing`)
  expect(missing).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/answered 404: there is no such list\. Check/),
  })
})

test('sluice probe --openapi shows the lists, writes a file once, and refuses what does not belong to it', async () => {
  await using forum = await forumApi()
  const place = `${forum.origin}/openapi.yaml`
  const listed = await sluice('--openapi', place, '--list')
  expect(listed).toMatchObject({ code: 0, stderr: '' })
  // Names and paths are copied to --only and --set: none is cut, whatever their length.
  expect(listed.stdout.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
    ['stream', 'path', 'paging and key, or what it needs'],
    ['users', '/users', "byPage('page', { pages: 'meta.pages', total: 'meta.total' }), key id"],
    ['badges', '/badges', expect.stringContaining('onePage({ atMost: 1 }), ')],
    ['posts', '/users/{userId}/posts', expect.stringContaining(', key user_id, id')],
    ['comments', '/users/{userId}/posts/{postId}/comments', 'byLinkHeader(), key user_id, post_id, id'],
    ['members', '/groups/{group}/members', '--set group=…'],
    [''],
    ['Left out (--verbose names all):'],
    ['- 1 operation: no list: it is not read by GET (POST /users)'],
    ['- 1 operation: one record, not a list (GET /users/{id})'],
    ['- 1 operation: values, not records (GET /tags)'],
    ['- 1 operation: answers text/csv (GET /export)'],
    [''],
  ])
  expect(await sluice('--openapi', place, '--list', '--only', 'badges', '--verbose')).toMatchObject({
    stdout: expect.stringMatching(
      /\nLeft out:\n(.*\n)*- 3 operations: not chosen by --only\n {4}GET \/users \(users\)\n/,
    ),
  })
  const written = await sluice('--openapi', place, '--only', 'posts,badges', '--name', 'own')
  expect(written).toMatchObject({ code: 0, stderr: '' })
  expect(written.stdout).toMatch(/\n- not chosen by --only: GET \S+ \(comments\)\n/)
  expect(written.stdout).toMatch(/\nWrote pipelines\/own\.ts with 1 question .*\n\nNext: {2}npx sluice check own\n$/s)
  await expect(readFile(join(cwd, 'pipelines/own.ts'), 'utf8')).resolves.toContain("pipeline('own', {")
  // What is given is sent, and what the description says of credentials is not asked any more.
  const given = ['--auth', 'header:X-Mine:MINE_KEY', '--header', 'Accept-Language: en', '--out', 'pipelines/mine.ts']
  const mine = await sluice('--openapi', place, '--only', 'badges', ...given)
  expect(mine).toMatchObject({ code: 0, stderr: '' })
  const file = await readFile(join(cwd, 'pipelines/mine.ts'), 'utf8')
  expect(file.replaceAll(/\s+/g, ' ')).toMatch(
    /auth: apiKey\(secret\('MINE_KEY'\), \{ header: 'X-Mine' \}\), headers: \{ 'accept-language': 'en' \}/,
  )
  expect(file).not.toContain('FORUM_KEY')
  expect(file).toContain("pipeline('mine', {")
  for (const [args, message] of [
    [['--openapi', place, '--auth', 'bearer:ghp_b0XyZ91'], /^(?!.*b0XyZ91).* is not set .* It would stand in the file/],
    [['--openapi', place, '--header', 'X-Key: abc'], /give --auth header:X-Key:VARIABLE/],
    [['--openapi', place, '--name', 'own'], /own\.ts exists, and was not written over/],
    [['--openapi', place, '--set', 'group'], /--set group: give the name of a parameter and its value/],
    [['--openapi', place, `${forum.origin}/v1/users`], /requests nothing of the API\. Leave out the URL http/],
    [['--list'], /give the URL of a list, or --openapi/],
    [[`${forum.origin}/v1/users`, '--list'], /--list are for --openapi/],
  ] as const) {
    const refused = await sluice(...args)
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringMatching(message)])
  }
})

test('on a narrow terminal, paging and key give way; names, paths and what a list needs do not', () => {
  const path = `/a/very/long/path${'/of/something'.repeat(5)}`
  const paging = { type: 'link header', rel: 'next' } as const
  const record = { kind: 'unknown' } as const
  const stream = { name: 'users', path, records: { shape: 'list', at: '' }, paging, key: [], record } as const
  const needs = { name: 'members', path, parameters: ['owner', 'repo'] }
  const lines = listLines([stream], [{ operation: '', reason: '', needs }], 60)
  expect(lines.slice(1)).toEqual([`users    ${path}`, `members  ${path}  --set owner=… --set repo=…`])
})
