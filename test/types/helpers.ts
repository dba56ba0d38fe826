// Compiled, never run: functions that help to write pipelines can name the types that they take and return.
import {
  http,
  inHeader,
  onePage,
  pipeline,
  type Auth,
  type BatchLimits,
  type Bound,
  type ColumnType,
  type Counts,
  type Duration,
  type Endpoint,
  type Flow,
  type HttpApi,
  type HttpOptions,
  type IncrementalOptions,
  type Pages,
  type Paging,
  type Path,
  type Pipeline,
  type Query,
  type Range,
  type Rate,
  type Records,
  type Report,
  type RequestOptions,
  type ResponseRule,
  type RunOptions,
  type Schedule,
  type Secret,
  type Size,
  type Stream,
  type TableOptions,
  type WriteMode,
} from '../../src/index.ts'

interface Envelope<Item> {
  readonly items: Item[]
}
interface Post {
  readonly id: number
  readonly at: string
}

/** Takes a paginator of bodies and returns their records. */
export function list<Item>(api: HttpApi, path: Path, paging: Paging<Envelope<Item>>): Records<Item> {
  const endpoint: Endpoint<Envelope<Item>> = api.get<Envelope<Item>>(path)
  const pages: Pages<Envelope<Item>> = endpoint.pages(paging)
  return pages.records((body) => body.items)
}

export function connect(base: string, auth: Auth, limits: { rate: Rate; timeout: Duration; page: Size }): HttpApi {
  const options: HttpOptions = { auth, rate: limits.rate, timeout: limits.timeout, maxPageSize: limits.page }
  return http(base, options)
}

export function postsOf(api: HttpApi, query: Query, options: RequestOptions, cursor: IncrementalOptions<string>) {
  const posts: Stream<Post> = api
    .get<Post[]>('/posts', query, options)
    .pages(onePage())
    .records()
    .incremental('at', cursor)
  return posts
}

export function store(
  posts: Stream<Post>,
  table: `${string}.${string}`,
  options: TableOptions<Post, 'merge'>,
): Flow<Post> {
  return posts.into(table, options)
}

export function scheduled(name: string, schedule: Schedule, flow: Flow<Post>): Pipeline<{ posts: Flow<Post> }> {
  return pipeline(name, { schedule, streams: { posts: flow } })
}

export const inserted = (report: Report<'posts'>): Counts['inserted'] => report.streams.posts.counts.inserted
export const types: readonly ColumnType<string>[] = ['uuid', 'timestamptz']
export const modes: readonly WriteMode[] = ['merge', 'append', 'replace']
export const token: Secret = { secret: 'TOKEN' }
export const half: Rate = '0.5/s'
export const bound: Bound = { bound: 'since', as: 'unix' }
export const day: Range = { since: '2024-01-01', until: '2024-01-02' }
export const batch: BatchLimits = { rows: 1_000 }
export const options: RunOptions = { batch, throwOnFailure: false }
export const pastTheEnd: ResponseRule = { status: 400, body: { code: 'past_end' }, action: 'empty' }
export const rules: readonly ResponseRule[] = [
  pastTheEnd,
  { status: ['5xx', 420], header: { 'x-state': /down/ }, action: 'retry', wait: '30s', reach: 'path' },
  { text: /quota/, action: 'retry', wait: { at: inHeader('x-reset'), unit: 'unix ms' } },
  { when: ({ status, headers, text }) => status === 418 && headers['x'] === text, action: 'skip', expected: true },
  { body: { ok: false }, action: 'fail', message: (body) => (body as { text?: string }).text },
]
export const ruled = http('https://api.example', { responseRules: rules }).get<Post[]>(
  '/posts',
  {},
  { responseRules: rules },
)
