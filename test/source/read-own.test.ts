import { describe, expect, test } from '@jest/globals'
import { openScope } from '../../src/read/open-scope.ts'
import { readRecipe } from '../../src/read/read-recipe.ts'
import { MemoryBudget } from '../../src/flow/memory-budget.ts'
import { http, onePage, path, source } from '../../src/index.ts'
import type { MemoryAccount } from '../../src/flow/memory-account.ts'
import type { OwnPage, ReadContext } from '../../src/model/recipe.ts'
import { readSecrets } from '../../src/observe/secrets.ts'
import { apiServer } from '../support/api-server.ts'
import { readPages, recordsOf } from './read-pages.ts'

const days = ['2024-05-01', '2024-05-02', '2024-05-03']

describe("a source of one's own", () => {
  test('goes on from any position that it gave, and ends with a page that says so', async () => {
    const own = source<{ day: string }>(async function* ({ position }) {
      for (const day of days.filter((day) => position === undefined || day > (position as string)))
        yield { records: [{ day }], position: day }
    })
    const whole = await readPages(own)
    expect(whole.map(({ position }) => position)).toEqual([...days, { end: true }])
    for (let stop = 1; stop <= whole.length; stop++) {
      const begun = await readPages(own, { pages: stop })
      expect([...recordsOf(begun), ...recordsOf(await readPages(own, { position: begun.at(-1)!.position! }))]).toEqual(
        recordsOf(whole),
      )
    }
  })

  test('gets the range, and the position only when it goes on', async () => {
    const seen: ReadContext[] = []
    const own = source<{ at: string }>(async function* (context) {
      seen.push(context)
      yield { records: [] }
    }).incremental('at', { startFrom: '2024-01-01', lookback: '1d' })
    await readPages(own)
    await readPages(own, { since: '2024-03-03', position: { page: 3 } })
    await readPages(own, { since: '2024-03-03', until: '2024-04-01' })
    expect(seen.map(({ signal, ...rest }) => ({ ...rest, signal: signal instanceof AbortSignal }))).toEqual([
      { since: '2024-01-01', until: undefined, position: undefined, signal: true },
      { since: '2024-03-02', until: undefined, position: { page: 3 }, signal: true },
      { since: '2024-03-03', until: '2024-04-01', position: undefined, signal: true },
    ])
  })

  test('may give no position: its pages then have none until it does', async () => {
    const pages = await readPages(
      source(async function* () {
        yield { records: [1] }
        yield { records: [2], position: 'two' }
        yield { records: [3] }
      }),
    )
    expect(pages.map(({ position }) => position)).toEqual([undefined, 'two', undefined, { end: true }])
  })

  test('has its secrets taken out of its positions', async () => {
    const secrets = readSecrets({ TOKEN: 's3cret-token' })
    secrets.value('TOKEN')
    const [page] = await readPages(
      source(async function* () {
        yield { records: [], position: { next: 'x?token=s3cret-token' } }
      }),
      { secrets },
    )
    expect(page!.position).toEqual({ next: 'x?token={secret:TOKEN}' })
  })

  test.each<[string, unknown]>([
    ['records instead of pages', { id: 1 }],
    ['a list', [1]],
    ['nothing', undefined],
    ['a position that is no JSON', { records: [], position: 1n }],
    ['the reserved position', { records: [], position: { end: true } }],
  ])('that yields %s fails and says what is expected', async (_, page) => {
    await expect(
      readPages(
        source(async function* () {
          yield page as OwnPage<unknown>
        }),
      ),
    ).rejects.toThrow(/^source\(\):/)
  })

  test('that returns because it was told to stop has not come to its end', async () => {
    const stop = new AbortController()
    const seen: unknown[] = []
    const own = source(async function* ({ signal }) {
      for (let n = 1; n < 4 && !signal.aborted; n++) yield { records: [n], position: n }
    })
    await using scope = openScope({ signal: stop.signal })
    const reading = async (): Promise<void> => {
      for await (const page of readRecipe(own.recipe, { position: null, restart: 'page' }, scope)) {
        seen.push(page.position)
        if (page.position === 2) stop.abort(new Error('enough'))
      }
    }
    await expect(reading()).rejects.toThrow('enough')
    expect(seen).toEqual([1, 2])
  })

  test('is closed when its reader leaves, and fails with its own error', async () => {
    let closed = false
    await readPages(
      source(async function* () {
        try {
          for (;;) yield { records: [1] }
        } finally {
          closed = true
        }
      }),
      { pages: 2 },
    )
    expect(closed).toBe(true)
    await expect(
      readPages(
        source(async function* () {
          yield { records: [] }
          throw new Error('no export today')
        }),
      ),
    ).rejects.toThrow('no export today')
  })

  test('fetches through the client of the reading, so that credentials, limits and events are the same', async () => {
    await using server = await apiServer(({ method }) => ({ json: method === 'POST' ? { id: 'job/1' } : [{ id: 1 }] }))
    const api = http(server.origin as `http://${string}`)
    const events: string[] = []
    const own = source<{ id: number }>(async function* ({ signal }) {
      const job = await api.post<{ id: string }>('/exports', { json: { day: 1 } }).fetch({ signal })
      await new Promise((resolve) => void setImmediate(resolve))
      yield { records: await api.get<{ id: number }[]>(`/exports/${encodeURIComponent(job.id)}`).fetch({ signal }) }
    })
    const pages = await readPages(own, { emit: (event) => void events.push(event.type) })
    expect(recordsOf(pages)).toEqual([{ id: 1 }])
    expect(events).toEqual(['request.finished', 'request.finished'])
    expect(server.connections).toBe(1)
  })

  test('fetches outside of any reading, too', async () => {
    await using server = await apiServer([{ json: { ready: true } }])
    expect(
      await http(server.origin as `http://${string}`)
        .get<{ ready: boolean }>('/x')
        .fetch({ signal: AbortSignal.timeout(5_000) }),
    ).toEqual({ ready: true })
  })
})

describe("what a source of one's own fetches", () => {
  test('counts as held until its page is given back, and never waits for itself', async () => {
    await using server = await apiServer([{ json: 'x'.repeat(100) }])
    const api = http(server.origin as `http://${string}`)
    const budget = new MemoryBudget(150)
    const own = source<number>(async function* ({ signal }) {
      for (let page = 0; page < 3; page++) {
        await api.get('/a').fetch({ signal })
        await Promise.all([api.get('/b').fetch({ signal }), api.get('/c').fetch({ signal })])
        yield { records: [budget.used] }
      }
      await api.get('/d').fetch({ signal })
    })
    expect(recordsOf(await readPages(own, { memory: budget.account() }))).toEqual([306, 306, 306])
    expect({ used: budget.used, waiting: budget.waiting }).toEqual({ used: 0, waiting: 0 })
  })

  test('forgets the fetches of a page with it', async () => {
    await using server = await apiServer([{ json: 1 }])
    const api = http(server.origin as `http://${string}`)
    let deepest = 0
    const counting = (account: MemoryAccount, depth: number): MemoryAccount => ({
      ...account,
      child: (isNext) => {
        deepest = Math.max(deepest, depth + 1)
        return counting(account.child(isNext), depth + 1)
      },
    })
    const own = source<number>(async function* ({ signal }) {
      for (let page = 0; page < 10; page++) yield { records: [await api.get<number>('/a').fetch({ signal })] }
    })
    await readPages(own, { memory: counting(new MemoryBudget(1_000).account(), 0) })
    expect(deepest).toBe(1)
  })

  test('in a stage waits for nobody', async () => {
    await using server = await apiServer(({ path }) => ({
      json: path === '/list' ? [{ id: 1 }, { id: 2 }] : { more: 'x'.repeat(100) },
    }))
    const api = http(server.origin as `http://${string}`)
    const own = api
      .get<{ id: number }[]>('/list')
      .pages(onePage())
      .records()
      .map(
        async ({ id }, signal) => ({ id, ...(await api.get<{ more: string }>(path`/of/${id}`).fetch({ signal })) }),
        { concurrency: 2 },
      )
    const budget = new MemoryBudget(20)
    expect(recordsOf(await readPages(own, { memory: budget.account() }))).toHaveLength(2)
    expect(budget.used).toBe(0)
  })
})
