import { describe, expect, test } from '@jest/globals'
import { byPage, http, onePage, pipeline, run, since } from '../../src/index.ts'
import { changeCursor, closedText } from '../../src/run/change-cursor.ts'
import { checkPipelines } from '../../src/run/check/check.ts'
import { apiServer } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'

test.each([
  ['set', '2024-02-01'],
  ['reset', undefined],
] as const)('a run whose cursor is %s during the read fails and names that as the reason', async (word, value) => {
  const changed = Promise.withResolvers<void>()
  const reading = Promise.withResolvers<void>()
  await using api = await apiServer(async ({ query }) => {
    const page = Number(query.get('page'))
    if (page === 3) {
      reading.resolve()
      await changed.promise
    }
    return { json: page > 4 ? [] : [{ id: page, at: `2024-01-0${page}` }] }
  })
  await using test = await testDatabase()
  const rows = http(api.origin as 'http://x')
    .get<{ id: number; at: string }[]>('/rows')
    .pages(byPage('page'))
    .records()
    .incremental('at')
  const flow = pipeline('p', { streams: { rows: rows.into('t.rows', { key: 'id' }) } })
  const running = run(flow, { database: test.url, throwOnFailure: false })
  await reading.promise
  const name = { pipeline: 'p', stream: 'rows' }
  const closed = await changeCursor(test.database, name, value === undefined ? {} : { value })
  expect(closedText(closed)).toBe('; run 1, which was reading it, fails')
  changed.resolve()
  const report = await running
  expect(report).toMatchObject({
    status: 'failed',
    streams: {
      rows: { status: 'failed', error: expect.stringContaining(`was closed: the cursor was ${word} by hand`) },
    },
  })
  const [stored] = await test.database.query('select status, error from sluice.runs')
  expect(stored).toMatchObject({
    status: 'failed',
    error: expect.stringContaining(`the cursor was ${word} by hand`),
  })
})

interface Post {
  readonly id: number
  readonly created_on: string
  readonly updated_on: string
}

describe('a definition that changes while it has a cursor', () => {
  const posts: Post[] = [
    { id: 1, created_on: '2024-01-01T00:00:00Z', updated_on: '2024-01-02T00:00:00Z' },
    { id: 2, created_on: '2024-01-03T00:00:00Z', updated_on: '2024-01-03T00:00:00Z' },
  ]

  async function fixture() {
    const resources = new AsyncDisposableStack()
    const api = resources.use(await apiServer(() => ({ json: posts })))
    const test = resources.use(await testDatabase())
    const flow = (by: 'created_on' | 'updated_on' | ((post: Post) => string), parameters: object = {}, table = 't.a') =>
      pipeline('p', {
        streams: {
          posts: http(api.origin)
            .get<Post[]>('/posts', { from: since, ...parameters })
            .pages(onePage())
            .records()
            .incremental(by as 'created_on')
            .into(table as 't.a', { key: 'id' }),
        },
      })
    const sync = async (of: ReturnType<typeof flow>, full = false) =>
      (await run(of, { database: test.url, throwOnFailure: false, full })).streams.posts
    const check = async (of: ReturnType<typeof flow>) => {
      const signal = new AbortController().signal
      const found = await checkPipelines([{ pipeline: of, file: 'p.ts' }], { database: test.url, signal })
      return found.filter(({ location, text }) => location === 'p.posts' && text.includes('--full'))
    }
    return { api, test, flow, sync, check, [Symbol.asyncDispose]: () => resources.disposeAsync() }
  }
  const warning =
    "the definition has changed since the cursor '2024-01-03T00:00:00Z' was stored, and a run goes on from there. If " +
    'the cursor is another field now, or the request selects other records, read everything once: ' +
    'sluice run p.posts --full'

  test('is refused with another field, until everything is read or the cursor is set', async () => {
    await using used = await fixture()
    const { flow, sync, check, test } = used
    await sync(flow('created_on'))
    const error =
      "the cursor '2024-01-03T00:00:00Z' was stored by .incremental('created_on'), and the definition has " +
      "'updated_on' now. A record that has changed before this cursor and after its last reading would never be " +
      'read. To read everything once: sluice run p.posts --full. If both fields have the same values: ' +
      "sluice cursor set p.posts '2024-01-03T00:00:00Z'"
    const asked = used.api.requests.length
    expect(await sync(flow('updated_on'))).toMatchObject({ status: 'failed', error: `p.posts: ${error}` })
    expect(used.api.requests.length).toBe(asked)
    expect(await check(flow('updated_on'))).toEqual([{ location: 'p.posts', isFault: true, text: error }])
    expect(await sync(flow('updated_on'), true)).toMatchObject({ status: 'done', counts: { fetched: 2 } })
    expect(await sync(flow('updated_on'))).toMatchObject({ status: 'done', warnings: [] })
    expect(await sync(flow('created_on'))).toMatchObject({ status: 'failed' })
    await changeCursor(test.database, { pipeline: 'p', stream: 'posts' }, { value: '2024-01-03T00:00:00Z' })
    expect(await sync(flow('created_on'))).toMatchObject({ status: 'done', warnings: [] })
    await changeCursor(test.database, { pipeline: 'p', stream: 'posts' }, { value: 'Post 999' })
    const mismatch = expect.stringMatching(/the range is text \('Post 999'\).* is a time .*sluice cursor reset/)
    expect(await sync(flow('created_on'))).toMatchObject({ status: 'failed', error: mismatch })
  })

  test('warns once if the request or a function has changed, and not if only the table has', async () => {
    await using used = await fixture()
    const { flow, sync, check } = used
    await sync(flow('created_on'))
    expect(await check(flow('created_on', {}, 't.b'))).toEqual([])
    expect(await sync(flow('created_on', {}, 't.b'), true)).toMatchObject({ warnings: [] })
    expect(await sync(flow('created_on'))).toMatchObject({ status: 'done', warnings: [] })
    const open = flow('created_on', { state: 'open' })
    expect(await check(open)).toEqual([{ location: 'p.posts', isFault: false, isAdvice: true, text: warning }])
    expect(await sync(open)).toMatchObject({ status: 'done', warnings: [warning] })
    expect(await sync(open)).toMatchObject({ status: 'done', warnings: [] })
    const byFunction = flow((post) => post.created_on, { state: 'open' })
    expect(await sync(byFunction)).toMatchObject({ status: 'done', warnings: [warning] })
    expect(await sync(byFunction)).toMatchObject({ status: 'done', warnings: [] })
  })

  test('warns once of a request that is another one in each run', async () => {
    await using used = await fixture()
    const { flow, sync } = used
    const told: number[] = []
    for (const day of [1, 2, 3, 4]) told.push((await sync(flow('created_on', { day })))?.warnings.length ?? -1)
    expect(told).toEqual([0, 1, 0, 0])
  })

  test('is compared by its hash where an older version has stored the cursor', async () => {
    await using used = await fixture()
    const { flow, sync, test } = used
    await sync(flow('created_on'))
    const older = "update sluice.slices set field_values = field_values - 'origin'"
    await test.database.query(older)
    expect(await sync(flow('created_on'))).toMatchObject({ status: 'done', warnings: [] })
    await test.database.query(older)
    expect(await sync(flow('updated_on'))).toMatchObject({ status: 'done', warnings: [warning] })
  })

  test('goes on with a reading of everything that was interrupted', async () => {
    await using test = await testDatabase()
    let isBroken = false
    await using api = await apiServer(({ query }) => {
      const page = Number(query.get('page'))
      return isBroken && page === 2 ? { status: 404 } : { json: posts.slice(page - 1, page) }
    })
    const sync = async (by: 'created_on' | 'updated_on', full = false) => {
      const stream = http(api.origin).get<Post[]>('/posts').pages(byPage('page')).records().incremental(by)
      const flow = pipeline('p', { streams: { posts: stream.into('t.a', { key: 'id' }) } })
      return (await run(flow, { database: test.url, throwOnFailure: false, full })).streams.posts
    }
    await sync('created_on')
    isBroken = true
    expect(await sync('updated_on', true)).toMatchObject({ status: 'failed', counts: { fetched: 1 } })
    isBroken = false
    await test.database.query("update sluice.slices set started_at = started_at - interval '2 days'")
    // It would begin anew at the cursor.
    expect(await sync('updated_on')).toMatchObject({ status: 'failed', error: expect.stringContaining('--full') })
    await test.database.query("update sluice.slices set started_at = started_at + interval '2 days'")
    expect(await sync('updated_on')).toMatchObject({ status: 'done', resumed: true, warnings: [] })
  })
})
