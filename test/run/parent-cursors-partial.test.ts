// Where child lists have cursors of their own, a reading is not a full one, though the stream itself has no cursor.
import { expect, test } from '@jest/globals'
import { http, onePage, path, pipeline, run, since } from '../../src/index.ts'
import { setTimeout as sleep } from 'node:timers/promises'
import { apiServer } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'

interface Comment {
  readonly id: string
  readonly at: string
}

const comment = (issue: number, day: number): Comment => ({ id: `${issue}.${day}`, at: `2024-01-0${day}T00:00:00Z` })

/** Two issues with two comments each. `hold` keeps the list of the second one back. */
async function tracker() {
  const state: { hold?: Promise<void> } = {}
  const comments: Record<number, Comment[]> = { 1: [comment(1, 1), comment(1, 2)], 2: [comment(2, 1), comment(2, 2)] }
  const server = await apiServer(async ({ path: place, query }) => {
    const [, , id] = place.split('/')
    if (id === undefined) return { json: [{ id: 1 }, { id: 2 }] }
    if (id === '2') await state.hold
    const from = query.get('since')
    return { json: comments[Number(id)]?.filter(({ at }) => from === null || at >= from) }
  })
  const api = http(server.origin, { attempts: 1 })
  const flow = pipeline('p', {
    streams: {
      comments: api
        .get<{ id: number }[]>('/issues')
        .pages(onePage())
        .records()
        .flatMap(({ id }) =>
          api
            .get<Comment[]>(path`/issues/${id}/comments`, { since })
            .pages(onePage())
            .records()
            .incremental('at', { perParent: true, lookback: 0 }),
        )
        .into('t.comments', { key: 'id' }),
    },
  })
  const ranges = (): string[] =>
    server.requests
      .filter(({ path: place }) => place !== '/issues')
      .map(({ path: place, query }) => `${place.split('/')[2]} ${query.get('since')?.slice(8, 10) ?? 'all'}`)
  return { flow, comments, state, ranges, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}

test('a table that is missing is an error: a run would store only what is new in each list', async () => {
  await using list = await tracker()
  await using store = await testDatabase()
  await run(list.flow, { database: store.url })
  await store.database.query('drop table t.comments')
  list.comments[1]?.push(comment(1, 3))
  const again = await run(list.flow, { database: store.url, throwOnFailure: false })
  expect(again.streams.comments).toMatchObject({ status: 'failed' })
  expect(again.streams.comments.error).toContain(
    't.comments: the table is missing, and rows of this stream were stored before. ' +
      'This run would store only the records that are new in lists with a cursor of their own',
  )
  await run(list.flow, { database: store.url, full: true })
  expect(await store.database.query('select id from t.comments order by id')).toHaveLength(5)
})

test('rows of records that are not new are not counted as kept', async () => {
  await using list = await tracker()
  await using store = await testDatabase()
  await run(list.flow, { database: store.url })
  const again = await run(list.flow, { database: store.url })
  expect(again.streams.comments).toMatchObject({ status: 'done', counts: { fetched: 2, unchanged: 2 } })
  expect(again.streams.comments.keptRows).toBeUndefined()
})

test('a run that reads everything waits for another one, and does not go on from its cursors', async () => {
  await using list = await tracker()
  await using store = await testDatabase()
  const go = Promise.withResolvers<void>()
  list.state.hold = go.promise
  const first = run(list.flow, { database: store.url })
  while (list.ranges().length < 2) await sleep(20)
  const waiting = Promise.withResolvers<void>()
  const second = run(list.flow, {
    database: store.url,
    full: true,
    overlap: 'wait',
    onEvent: (event) => {
      if (event.type === 'waiting') waiting.resolve()
    },
  })
  await Promise.race([waiting.promise, sleep(8_000, undefined, { ref: false })])
  go.resolve()
  await first
  await second
  expect(list.ranges()).toEqual(['1 all', '2 all', '1 all', '2 all'])
}, 60_000)
