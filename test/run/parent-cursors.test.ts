// Child lists with cursors of their own, into PostgreSQL.
import { describe, expect, test } from '@jest/globals'
import {
  bearer,
  byPage,
  http,
  inBatches,
  onePage,
  path,
  pipeline,
  run,
  secret,
  since,
  source,
  type Stream,
} from '../../src/index.ts'
import { resetCursor } from '../../src/ledger/cursors.ts'
import { apiServer, type ApiRequest } from '../support/api-server.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'

interface Comment {
  readonly id: string
  readonly at: string
}
interface Issue {
  readonly id: number
  readonly updated?: string
}

const day = (number: number): string => `2024-01-${String(number).padStart(2, '0')}T00:00:00Z`
const comment = (issue: number, number: number): Comment => ({ id: `${issue}.${number}`, at: day(number) })

const never = (_request: ApiRequest): boolean => false
const isFirstList = (page: string) => (request: ApiRequest) =>
  request.path === '/issues/1/comments' && request.query.get('page') === page

/** Issues, and their comments, two to a page, in any order. */
async function tracker(comments: Record<number, Comment[]>) {
  const state = { comments, fails: never, skips: never, answer: {} }
  const server = await apiServer((request) => {
    if (state.fails(request)) return { status: 500 }
    if (state.skips(request)) return { status: 403 }
    const [, kind, id] = request.path.split('/')
    if (kind === 'issues' && id === undefined)
      return { json: Object.keys(state.comments).map((issue) => ({ id: Number(issue), updated: day(1) })) }
    if (kind === 'comments') return { json: [{ id: `reaction of ${id}` }] }
    const from = request.query.get('since')
    const page = Number(request.query.get('page'))
    const list = (state.comments[Number(id)] ?? []).filter(({ at }) => from === null || at >= from)
    return { json: { items: list.slice(page * 2 - 2, page * 2), pages: Math.ceil(list.length / 2), ...state.answer } }
  })
  const api = http(server.origin, { attempts: 1 })
  const issues = api.get<Issue[]>('/issues').pages(onePage()).records()
  const rules = { responseRules: [{ status: 403, action: 'skip' } as const] }
  const commentsOf = ({ id }: Issue): Stream<Comment> =>
    api
      .get<{ items: Comment[]; pages: number }>(path`/issues/${id}/comments`, { since }, rules)
      .pages(byPage('page', { pages: 'pages' }))
      .records('items')
      .incremental('at', { perParent: true, lookback: 0 })
  /** The ranges that were asked for since the last call, by issue. */
  let asked = 0
  const ranges = (): string[] => {
    const all = server.requests.slice(asked).filter(({ query }) => query.get('page') === '1')
    asked = server.requests.length
    return all.map(({ path: place, query }) => `${place.split('/')[2]} ${query.get('since')?.slice(8, 10) ?? 'all'}`)
  }
  return { state, server, api, issues, commentsOf, ranges, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}

const intoComments = (rows: Stream<Comment>, options = {}) =>
  pipeline('p', { streams: { comments: rows.into('t.comments', { key: 'id', ...options }) } })
const cursorsOf = async ({ database }: TestDatabase): Promise<string[]> =>
  (
    await database.query<{ request: string; value: string }>(
      'select request, value from sluice.parent_cursors order by request',
    )
  ).map(({ request, value }) => `${request.split('/')[2]} ${value.slice(8, 10)}`)
const rowsOf = async ({ database }: TestDatabase): Promise<string[]> =>
  (await database.query<{ id: string }>('select id from t.comments order by id')).map(({ id }) => id)

describe('a cursor of each parent', () => {
  test('is where its own list goes on: a late comment of a slow list is not lost', async () => {
    await using list = await tracker({ 1: [comment(1, 9), comment(1, 2), comment(1, 3)], 2: [comment(2, 4)], 3: [] })
    await using store = await testDatabase()
    const flow = intoComments(list.issues.flatMap(list.commentsOf, { concurrency: 2 }))
    const first = await run(flow, { database: store.url })
    expect(first.streams.comments).toMatchObject({ counts: { inserted: 4, parents: 3 } })
    expect(list.ranges()).toEqual(['1 all', '2 all', '3 all'])
    expect(await cursorsOf(store)).toEqual(['1 09', '2 04'])
    // One cursor for all of them would be at day 9, and comment 5 of issue 2 would be missed.
    const { 1: one = [], 2: two = [], 3: three = [] } = list.state.comments
    list.state.comments = { 2: [...two, comment(2, 5)], 3: three, 4: [comment(4, 1)] }
    const second = await run(flow, { database: store.url })
    expect(second.streams.comments).toMatchObject({ status: 'done', counts: { inserted: 2 } })
    expect(list.ranges()).toEqual(['2 04', '3 all', '4 all'])
    // Issue 1 has vanished, and comes back.
    expect(await cursorsOf(store)).toEqual(['1 09', '2 05', '4 01'])
    list.state.comments = { 1: [...one, comment(1, 10)] }
    await run(flow, { database: store.url })
    expect(list.ranges()).toEqual(['1 09'])
    expect(await rowsOf(store)).toEqual(['1.10', '1.2', '1.3', '1.9', '2.4', '2.5', '4.1'])
    expect(await store.database.query('select * from sluice.cursors')).toEqual([])
  })

  test('moves only with the last page of its list, and what was complete before an interruption stays', async () => {
    const comments = [1, 2].map((issue) => [1, 2, 3, 4, 5].map((number) => comment(issue, number)))
    for (const stop of ['/issues/1/comments 2', '/issues/2/comments 1', '/issues/2/comments 3']) {
      await using list = await tracker({ 1: comments[0]!, 2: comments[1]! })
      await using store = await testDatabase()
      const flow = intoComments(list.issues.flatMap(list.commentsOf))
      list.state.fails = ({ path: place, query }) => `${place} ${query.get('page')}` === stop
      const first = await run(flow, { database: store.url, throwOnFailure: false })
      expect({ stop, status: first.streams.comments.status }).toEqual({ stop, status: 'failed' })
      expect({ stop, cursors: await cursorsOf(store) }).toEqual({
        stop,
        cursors: stop.startsWith('/issues/1') ? [] : ['1 05'],
      })
      // Meanwhile both lists grow, also where they were read already.
      list.state.fails = never
      list.state.comments = { 1: [...comments[0]!, comment(1, 6)], 2: [...comments[1]!, comment(2, 6)] }
      await run(flow, { database: store.url })
      await run(flow, { database: store.url })
      expect({ stop, cursors: await cursorsOf(store) }).toEqual({ stop, cursors: ['1 06', '2 06'] })
      expect(await rowsOf(store)).toHaveLength(12)
    }
  }, 120_000)

  test('waits for the children of its own list, in a chain and inside', async () => {
    const flows: ((list: Awaited<ReturnType<typeof tracker>>) => Stream<Comment>)[] = [
      ({ issues, commentsOf, api }) =>
        issues.flatMap(commentsOf).flatMap(({ id }) =>
          api
            .get<Comment[]>(path`/comments/${id}`)
            .pages(onePage())
            .records(),
        ),
      ({ issues, commentsOf, api }) =>
        issues.flatMap((issue) =>
          commentsOf(issue).flatMap(({ id }) =>
            api
              .get<Comment[]>(path`/comments/${id}`)
              .pages(onePage())
              .records(),
          ),
        ),
    ]
    for (const flowOf of flows) {
      await using list = await tracker({ 1: [comment(1, 1)], 2: [comment(2, 1), comment(2, 2)] })
      await using store = await testDatabase()
      const flow = intoComments(flowOf(list))
      list.state.fails = ({ path: place }) => place === '/comments/2.2'
      const first = await run(flow, { database: store.url, throwOnFailure: false })
      expect(first.streams.comments).toMatchObject({ status: 'failed', counts: { inserted: 2 } })
      expect(await cursorsOf(store)).toEqual(['1 01'])
      list.state.fails = never
      await run(flow, { database: store.url })
      expect(await cursorsOf(store)).toEqual(['1 01', '2 02'])
      expect(await rowsOf(store)).toEqual(['reaction of 1.1', 'reaction of 2.1', 'reaction of 2.2'])
    }
  })

  test('stays if its list may be incomplete, unless the table accepts that', async () => {
    for (const complete of [undefined, 'any'] as const) {
      await using list = await tracker({ 1: [comment(1, 1)] })
      await using store = await testDatabase()
      list.state.answer = { has_more: true }
      const flow = intoComments(list.issues.flatMap(list.commentsOf), complete && { complete })
      const { streams } = await run(flow, { database: store.url })
      expect(streams.comments).toMatchObject({ status: 'done', completeness: { grade: 'open' } })
      expect(await cursorsOf(store)).toEqual(complete ? ['1 01'] : [])
    }
  })

  test('stays if a page was left out before an interruption', async () => {
    await using list = await tracker({ 1: [1, 2, 3, 4, 5].map((number) => comment(1, number)), 2: [comment(2, 1)] })
    await using store = await testDatabase()
    const flow = intoComments(list.issues.flatMap(list.commentsOf))
    list.state.skips = isFirstList('2')
    list.state.fails = isFirstList('3')
    await run(flow, { database: store.url, throwOnFailure: false })
    list.state.skips = never
    list.state.fails = never
    await run(flow, { database: store.url })
    expect(await cursorsOf(store)).toEqual(['2 01'])
    expect(await rowsOf(store)).toEqual(['1.1', '1.2', '1.5', '2.1'])
    await run(flow, { database: store.url })
    expect(await cursorsOf(store)).toEqual(['1 05', '2 01'])
    expect(await rowsOf(store)).toHaveLength(6)
  })

  test('goes back to the start with --full and with a reset', async () => {
    await using list = await tracker({ 1: [comment(1, 1), comment(1, 2)], 2: [comment(2, 2)] })
    await using store = await testDatabase()
    const flow = intoComments(list.issues.flatMap(list.commentsOf))
    await run(flow, { database: store.url })
    list.ranges()
    await run(flow, { database: store.url, full: true })
    expect(list.ranges()).toEqual(['1 all', '2 all'])
    expect(await cursorsOf(store)).toEqual(['1 02', '2 02'])
    await using transaction = await store.database.transaction({})
    await resetCursor(transaction, { pipeline: 'p', stream: 'comments' })
    await transaction.commit()
    expect(await cursorsOf(store)).toEqual([])
    await run(flow, { database: store.url })
    expect(list.ranges()).toEqual(['1 all', '2 all'])
    // A run that is to read everything and fails has read part of it: the next one reads the rest from its start, too.
    list.state.fails = ({ path: place }) => place === '/issues/2/comments'
    await run(flow, { database: store.url, full: true, throwOnFailure: false })
    list.state.fails = never
    await run(flow, { database: store.url })
    expect(list.ranges()).toEqual(['1 all', '2 all', '2 all'])
  })

  test('goes together with a cursor of the parents, and belongs to its credentials', async () => {
    await using list = await tracker({ 1: [comment(1, 3)] })
    await using store = await testDatabase()
    const { api, server, ranges } = list
    const flowOf = (account: string) =>
      intoComments(
        api
          .get<Issue[]>('/issues', { updated_since: since })
          .pages(onePage())
          .records()
          .incremental('updated')
          .flatMap(({ id }) =>
            http(server.origin, { auth: bearer(secret(account)) })
              .get<{ items: Comment[]; pages: number }>(path`/issues/${id}/comments`, { since })
              .pages(byPage('page', { pages: 'pages' }))
              .records('items')
              .incremental('at', { perParent: true, lookback: '1d' }),
          ),
      )
    const environment = { A: 'token-a', B: 'token-b' }
    await run(flowOf('A'), { database: store.url, environment })
    await run(flowOf('A'), { database: store.url, environment })
    await run(flowOf('B'), { database: store.url, environment })
    expect(ranges()).toEqual(['1 all', '1 02', '1 all'])
    expect(await store.database.query('select value from sluice.cursors')).toEqual([{ value: day(1) }])
  })

  test('without a ledger all lists are read in the range that is asked for', async () => {
    await using list = await tracker({ 1: [comment(1, 1), comment(1, 3)], 2: [comment(2, 2)] })
    const { comments } = intoComments(list.issues.flatMap(list.commentsOf)).streams
    expect(await Array.fromAsync(comments.rows({ since: day(2) }))).toEqual([comment(1, 3), comment(2, 2)])
  })
})

test.each<[string, (list: Awaited<ReturnType<typeof tracker>>) => Stream<Comment>, object, string]>([
  ['rows that are appended', ({ issues, commentsOf }) => issues.flatMap(commentsOf), { write: 'append' }, 'merged'],
  ['rows that are replaced', ({ issues, commentsOf }) => issues.flatMap(commentsOf), { write: 'replace' }, 'merged'],
  [
    'batches',
    ({ issues, commentsOf }) => issues.flatMap(inBatches(2, ([issue]) => commentsOf(issue!))),
    {},
    'inBatches()',
  ],
  [
    'a request whose function needs a range',
    ({ issues, api }) =>
      issues.flatMap(({ id }) =>
        api
          .get<Comment[]>('/comments', ({ since: from }) => ({ of: id, from: from!.slice(0, 10) }))
          .pages(onePage())
          .records()
          .incremental('at', { perParent: true }),
      ),
    {},
    'fails without one',
  ],
  [
    'a custom source',
    ({ issues }) =>
      issues.flatMap(() =>
        source<Comment>(async function* () {
          yield { records: [comment(1, 1)] }
        }).incremental('at', { perParent: true }),
      ),
    {},
    'custom source',
  ],
])('perParent is refused for %s', async (_, flowOf, options, message) => {
  await using list = await tracker({ 1: [comment(1, 1)] })
  await using store = await testDatabase()
  await expect(run(intoComments(flowOf(list), options), { database: store.url })).rejects.toThrow(message)
})

test('perParent is refused for a stream that is no child', async () => {
  await using list = await tracker({ 1: [] })
  expect(() => intoComments(list.commentsOf({ id: 1 }))).toThrow('perParent, which is for the stream')
  expect(() =>
    list.api
      .get<Comment[]>('/x')
      .pages(onePage())
      .records()
      .incremental('at', { perParent: 1 as never }),
  ).toThrow('perParent is true or false')
})
