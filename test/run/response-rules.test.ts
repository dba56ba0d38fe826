import { expect, test } from '@jest/globals'
import { byPage, http, onePage, path, pipeline, reportText, run, type RunEvent } from '../../src/index.ts'
import { apiServer } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'

interface Body {
  readonly items: readonly { readonly id: number }[]
}

test('a stream with rules stores what an API has that tells in its own ways what its responses mean', async () => {
  const tries = new Map<string, number>()
  await using api = await apiServer(({ path, query }) => {
    const attempt = (tries.get(path) ?? 0) + 1
    tries.set(path, attempt)
    switch (path) {
      case '/ok-false':
        return { json: attempt < 2 ? { ok: false, error: 'ratelimited' } : { ok: true, items: [{ id: 1 }] } }
      case '/quota':
        if (attempt < 2) return { status: 403, json: { error: { errors: [{ reason: 'rateLimitExceeded' }] } } }
        return { json: { items: [{ id: 2 }] } }
      default:
        return Number(query.get('page')) > 2
          ? { status: 400, json: { code: 'invalid_page_number' } }
          : { json: { items: [{ id: Number(query.get('page')) + 10 }] } }
    }
  })
  await using store = await testDatabase()
  const source = http(api.origin, {
    responseRules: [
      { body: { ok: false, error: 'ratelimited' }, action: 'retry' },
      { status: 403, body: { 'error.errors.reason': 'rateLimitExceeded' }, action: 'retry' },
      { status: 400, body: { code: 'invalid_page_number' }, action: 'empty' },
    ],
  })
  const cases = pipeline('cases', {
    streams: {
      okFalse: source.get<Body>('/ok-false').pages(onePage()).records('items').into('t.ok_false', { key: 'id' }),
      quota: source.get<Body>('/quota').pages(onePage()).records('items').into('t.quota', { key: 'id' }),
      pastTheEnd: source
        .get<Body>('/past-the-end')
        .pages(byPage('page'))
        .records('items')
        .into('t.past', { key: 'id' }),
    },
  })
  const { streams } = await run(cases, { database: store.url })
  expect(streams.okFalse).toMatchObject({ counts: { inserted: 1 }, retries: 1 })
  expect(streams.quota).toMatchObject({ counts: { inserted: 1 }, retries: 1 })
  expect(streams.pastTheEnd).toMatchObject({ counts: { inserted: 2 }, completeness: { grade: 'ended' } })
})

test('a child that a rule leaves out is counted and told, and the cursor of its stream is not proven', async () => {
  await using api = await apiServer(({ path }) => {
    if (path === '/parents') return { json: [1, 2, 3].map((id) => ({ id })) }
    const parent = Number(path.split('/')[2])
    return parent === 2
      ? { status: 403, json: { error: 'not yours' } }
      : { json: { items: [{ id: parent * 10 }, { id: parent * 10 + 1 }] } }
  })
  await using store = await testDatabase()
  const source = http(api.origin)
  const flow = (expected: boolean) =>
    pipeline('cases', {
      streams: {
        children: source
          .get<{ id: number }[]>('/parents')
          .pages(onePage())
          .records()
          .flatMap(({ id }) =>
            source
              .get<Body>(
                path`/parents/${id}/items`,
                {},
                {
                  responseRules: [{ status: 403, body: { error: 'not yours' }, action: 'skip', expected }],
                },
              )
              .pages(onePage())
              .records('items'),
          )
          .into('t.children', { key: 'id' }),
      },
    })
  const events: RunEvent[] = []
  const report = await run(flow(false), { database: store.url, onEvent: (event) => events.push(event) })
  const { children } = report.streams
  expect(children).toMatchObject({
    status: 'done',
    counts: { inserted: 4, parents: 3, rejected: 0 },
    skipped: 1,
    completeness: { grade: 'open' },
  })
  expect(children.completeness?.reasons.join()).toContain('GET /parents/2/items: a rule left out the response')
  expect(children.warnings.join()).toContain('a rule left out the response with status 403')
  expect(reportText(report)).toContain('1 response left out by rules')
  expect(events).toContainEqual(expect.objectContaining({ type: 'response.skipped', stream: 'children', status: 403 }))
  expect(await store.database.query('select id::int from t.children order by id')).toEqual(
    [10, 11, 30, 31].map((id) => ({ id })),
  )
  const expected = await run(flow(true), { database: store.url })
  expect(expected.streams.children).toMatchObject({ skipped: 1, completeness: { grade: 'ended' }, warnings: [] })
})
