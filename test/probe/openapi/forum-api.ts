// A server that answers as forum.yaml says.
import { readFile } from 'node:fs/promises'
import { apiServer, type ApiAnswer, type ApiRequest, type ApiServer } from '../../support/api-server.ts'

export const USERS = 45
export const POSTS_OF_EACH = 3
export const COMMENTS_OF_EACH = 2
export const KEY = 'the-key-of-the-forum'
/** A user of five is locked: without `state=all` the API leaves them out. */
const isLocked = (id: number): boolean => id % 5 === 0

const description = await readFile(new URL('forum.yaml', import.meta.url), 'utf8')

/** Starts the forum. Its description stands at `/openapi.yaml`, and it wants a key for all else. */
export const forumApi = (): Promise<ApiServer> =>
  apiServer((request) => {
    if (request.path === '/openapi.yaml') return { body: description, headers: { 'content-type': 'application/yaml' } }
    return request.headers['x-forum-key'] === KEY ? answer(request) : { status: 401 }
  })

function answer({ path, query }: ApiRequest): ApiAnswer {
  const [, version, list, user, below, post, last] = path.split('/')
  if (version !== 'v1') return { status: 404 }
  const from = Number(query.get('page') ?? query.get('cursor') ?? 1)
  if (list === 'badges') return { json: [{ id: 'gold', 'the-name': 'Gold' }] }
  if (list !== 'users') return { status: 404 }
  if (user === undefined) return users(from, Number(query.get('per_page') ?? 20), query.get('state') ?? 'active')
  if (below === 'posts' && post === undefined) return posts(Number(user), from)
  if (last === 'comments') return comments(Number(post), from, path)
  return { status: 404 }
}

function users(page: number, size: number, state: string): ApiAnswer {
  // Larger pages are cut without a word, as many APIs do.
  const limit = Math.min(size, 50)
  const all = Array.from({ length: USERS }, (_, n) => n + 1).filter((id) => state === 'all' || !isLocked(id))
  const own = all.slice((page - 1) * limit, page * limit)
  return {
    json: {
      users: own.map((id) => ({ id, name: `user ${id}`, role: 'member' })),
      meta: { total: all.length, pages: Math.ceil(all.length / limit) },
    },
  }
}

/** Ids of posts count within a user, so only both together identify a post. */
function posts(user: number, from: number): ApiAnswer {
  const more = from < POSTS_OF_EACH
  const data = [{ id: from, title: `post ${from} of ${user}`, content: { kind: 'text', text: 'a' } }]
  return { json: { data, next_cursor: more ? String(from + 1) : null } }
}

function comments(post: number, page: number, path: string): ApiAnswer {
  const more = page < COMMENTS_OF_EACH
  return {
    json: [{ id: page, text: `comment ${page} on ${post}`, labels: { a: 'b' } }],
    ...(more && { headers: { link: `<${path}?page=${page + 1}>; rel="next"` } }),
  }
}
