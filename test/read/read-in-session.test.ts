// A session that ends while pages are read: no record is missing, and none comes twice.
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { byCursor, http, inCookie, secret, session, type Auth } from '../../src/index.ts'
import { apiServer, type ApiHandler } from '../support/api-server.ts'

beforeAll(() => {
  process.env['TEST_SESSION_PASSWORD'] = 'a-password'
})
afterAll(() => {
  delete process.env['TEST_SESSION_PASSWORD']
})

const login = { loginUrl: '/login', json: { password: secret('TEST_SESSION_PASSWORD') } }

/** Ten pages of three records. A session is good for four pages; then `ended` answers, or the page without records. */
function pages(ended: 'with 401' | 'with a page of a guest'): ApiHandler {
  let issued = 0
  let left = 0
  return ({ path, query, headers }) => {
    if (path === '/login') {
      left = 4
      issued += 1
      return { json: { token: `token-${issued}` }, headers: { 'set-cookie': `sid=token-${issued}` } }
    }
    const isKnown = [headers.authorization, headers.cookie].join().includes(`token-${issued}`)
    if (!isKnown || (left -= 1) < 0)
      return ended === 'with 401'
        ? { status: 401 }
        : { json: { data: [] }, headers: { 'set-cookie': 'sid=; Max-Age=0' } }
    const page = Number(query.get('after') ?? 0)
    return { json: { data: [0, 1, 2].map((n) => ({ id: page * 3 + n })), ...(page < 9 && { next: page + 1 }) } }
  }
}

test.each<[string, Auth, Parameters<typeof pages>[0]]>([
  ['a token that is refused', session({ ...login, token: 'token' }), 'with 401'],
  ['a cookie that is refused', session({ ...login, token: inCookie('sid') }), 'with 401'],
  ['a cookie that a page deletes', session({ ...login, token: inCookie('sid') }), 'with a page of a guest'],
])('%s in the middle of paging', async (_, auth, ended) => {
  await using server = await apiServer(pages(ended))
  const rows = http(server.origin, { auth })
    .get<{ data: { id: number }[]; next?: number }>('/x')
    .pages(byCursor('after', 'next'))
    .records('data')
    .into('t.x', { key: 'id' })
    .rows()
  expect((await Array.fromAsync(rows)).map(({ id }) => id)).toEqual(Array.from({ length: 30 }, (_, id) => id))
  expect(server.requests.filter(({ path }) => path === '/login')).toHaveLength(3)
})
