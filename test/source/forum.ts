import { byCursor, byLinkHeader, byPage, http, path, type Stream } from '../../src/index.ts'
import { apiServer, type ApiServer } from '../support/api-server.ts'

export interface Topic {
  id: number
  title: string
}
export interface Post {
  id: string
  topic: number
}
export interface Reaction {
  id: string
  post: string
}

/**
 * A forum whose topics, three to a page, can be changed while it is read. Topic n has n % 4 posts, two to a page; post
 * m has m % 3 reactions, one to a page.
 */
export async function forum(
  topics: Topic[] = Array.from({ length: 6 }, (_, index) => ({ id: index + 1, title: `t${index + 1}` })),
  { size = 3 } = {},
): Promise<Forum> {
  const gone = new Set<string>()
  const server = await apiServer(async (request) => {
    for (let turns = request.index % 5; turns > 0; turns--) await new Promise((resolve) => void setImmediate(resolve))
    if (gone.has(request.url)) return { status: 410, json: {} }
    const [, kind, of] = /^\/(topics|posts)(?:\/([^/]+)\/\w+)?$/.exec(request.path) ?? []
    if (kind === 'topics' && of === undefined) {
      const numbered = request.query.get('p')
      const from = numbered === null ? Number(request.query.get('c') ?? 0) : (Number(numbered) - 1) * size
      return {
        json: {
          topics: topics.slice(from, from + size),
          next: from + size < topics.length ? from + size : null,
          pages: Math.ceil(topics.length / size),
        },
      }
    }
    const page = Number(request.query.get('page') ?? 1)
    if (kind === 'posts' && of === undefined) {
      const asked = (request.query.get('topics') ?? '').split(',').map(Number)
      const posts = asked.flatMap((topic) =>
        Array.from({ length: topic % 4 }, (_, index) => ({ id: `${topic}-${index + 1}`, topic })),
      )
      return { json: { posts: posts.slice((page - 1) * 2, page * 2) } }
    }
    if (kind === 'topics') {
      const posts = Array.from({ length: Number(of) % 4 }, (_, index) => ({
        id: `${of}-${index + 1}`,
        topic: Number(of),
      }))
      return { json: { posts: posts.slice((page - 1) * 2, page * 2) } }
    }
    const batch = of === 'all' ? (request.query.get('ids') ?? '').split(',') : [of ?? '']
    const reactions = batch.flatMap((post) =>
      Array.from({ length: Number(post.split('-')[1]) % 3 }, (_, index) => ({ id: `${post}-${index + 1}`, post })),
    )
    const ids = of === 'all' ? `ids=${batch.join(',')}&` : ''
    return {
      json: reactions.slice(page - 1, page),
      headers: page < reactions.length ? { link: `<${request.path}?${ids}page=${page + 1}>; rel="next"` } : {},
    }
  })
  const api = http(server.origin)
  const listing = api.get<{ topics: Topic[]; next: number | null; pages: number }>('/topics')
  const all = listing.pages(byCursor('c', 'next')).records('topics')
  const atOnce = listing.pages(byPage('p', { pages: 'pages' })).records('topics')
  const posts = (topic: Topic): Stream<Post> =>
    api
      .get<{ posts: Post[] }>(path`/topics/${topic.id}/posts`)
      .pages(byPage('page'))
      .records('posts')
  const postsOf = (batch: readonly Topic[]): Stream<Post> =>
    api
      .get<{ posts: Post[] }>('/posts', { topics: batch.map(({ id }) => id).join(',') })
      .pages(byPage('page'))
      .records('posts')
  const reactions = (post: Post): Stream<Reaction> =>
    api
      .get<Reaction[]>(path`/posts/${post.id}/reactions`)
      .pages(byLinkHeader())
      .records()
  const reactionsOf = (batch: readonly Post[]): Stream<Reaction> =>
    api
      .get<Reaction[]>('/posts/all/reactions', { ids: batch.map(({ id }) => id).join(',') })
      .pages(byLinkHeader())
      .records()
  return {
    server,
    topics,
    gone,
    all,
    atOnce,
    posts,
    postsOf,
    reactions,
    reactionsOf,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

export interface Forum extends AsyncDisposable {
  readonly server: ApiServer
  readonly topics: Topic[]
  /** URLs for which the server returns 410. */
  readonly gone: Set<string>
  readonly all: Stream<Topic>
  /** The same topics, their pages requested at once. */
  readonly atOnce: Stream<Topic>
  readonly posts: (topic: Topic) => Stream<Post>
  /** The posts of several topics, by one list. */
  readonly postsOf: (batch: readonly Topic[]) => Stream<Post>
  readonly reactions: (post: Post) => Stream<Reaction>
  /** The reactions to several posts, by one list. */
  readonly reactionsOf: (batch: readonly Post[]) => Stream<Reaction>
}
