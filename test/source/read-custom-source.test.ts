import { describe, expect, test } from '@jest/globals'
import { openScope } from '../../src/read/open-scope.ts'
import { readRecipe } from '../../src/read/read-recipe.ts'
import { MemoryBudget } from '../../src/flow/memory-budget.ts'
import { http, onePage, path, source } from '../../src/index.ts'
import type { MemoryAccount } from '../../src/flow/memory-account.ts'
import type { OwnPage, ReadContext } from '../../src/model/recipe.ts'
import type { RunEvent } from '../../src/model/event.ts'
import { readSecrets } from '../../src/observe/secrets.ts'
import { apiServer } from '../support/api-server.ts'
import { readPages, recordsOf } from './read-pages.ts'

const days = ['2024-05-01', '2024-05-02', '2024-05-03']

describe('a custom source', () => {
  test('a custom source resumes from any position that it gave, and ends with a page at END', async () => {
    const own = source<{ day: string }>(async function* ({ position }) {
      for (const day of days.filter((day) => position === undefined || day > (position as string)))
        yield { records: [{ day }], position: day }
    })
    const whole = await readPages(own)
    expect(whole.map(({ position }) => position)).toEqual([...days, { end: true }])
    for (let stop = 1; stop <= whole.length; stop++) {
      const stopped = await readPages(own, { pages: stop })
      expect([
        ...recordsOf(stopped),
        ...recordsOf(await readPages(own, { position: stopped.at(-1)!.position! })),
      ]).toEqual(recordsOf(whole))
    }
  })

  test('a custom source gets the range, and a position only if it resumes', async () => {
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

  test('pages of a custom source have no position until it gives one', async () => {
    const pages = await readPages(
      source(async function* () {
        yield { records: [1] }
        yield { records: [2], position: 'two' }
        yield { records: [3] }
      }),
    )
    expect(pages.map(({ position }) => position)).toEqual([undefined, 'two', undefined, { end: true }])
  })

  test('a secret in the position of a custom source is replaced by its name', async () => {
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
    ['a position that is not JSON', { records: [], position: 1n }],
  ])('a custom source that yields %s fails with what is expected', async (_, page) => {
    await expect(
      readPages(
        source(async function* () {
          yield page as OwnPage<unknown>
        }),
      ),
    ).rejects.toThrow(/^source\(\):/)
  })

  test.each([
    ['{ end: true }', { end: true }],
    ['{ end: true, page: undefined }', { end: true, page: undefined }],
  ])(
    'a custom source that yields the position %s is refused, because it is reserved for the end',
    async (_, position) => {
      await expect(
        readPages(
          source(async function* () {
            yield { records: [1], position }
            yield { records: [2], position: 2 }
          }),
        ),
      ).rejects.toMatchObject({
        code: 'USAGE',
        message: expect.stringMatching(
          /^source\(\): the position \{ end: true \} is reserved .+ Return from the generator/,
        ),
      })
    },
  )

  test.each([{ end: true, page: 2 }, { end: false }, { end: 'true' }, ['end'], { at: { end: true } }])(
    'a custom source resumes from the position %j, which is not the end',
    async (position) => {
      const own = source<number>(async function* (context) {
        if (context.position === undefined) yield { records: [1], position }
        else expect(context.position).toEqual(position)
        yield { records: [2], position: 'two' }
      })
      const [first] = await readPages(own, { pages: 1 })
      expect(first?.position).toEqual(position)
      expect(recordsOf(await readPages(own))).toEqual([1, 2])
      expect(recordsOf(await readPages(own, { position: first!.position! }))).toEqual([2])
    },
  )

  test('a custom source of children resumes from the position { end: true, page: 2 }', async () => {
    const child = source<number>(async function* ({ position }) {
      if (position === undefined) yield { records: [1], position: { end: true, page: 2 } }
      yield { records: [2] }
    })
    const parents = source<number>(async function* () {
      yield { records: [0], position: 'parents' }
    }).flatMap(() => child)
    const [first] = await readPages(parents, { pages: 1 })
    expect(first?.position).toMatchObject({ done: 0, child: { end: true, page: 2 } })
    expect(recordsOf(await readPages(parents, { position: first!.position!, restart: 'slice' }))).toEqual([2])
  })

  test('a custom source that returns because its signal aborted has not come to its end', async () => {
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

  test('a custom source is closed when its reader leaves, and fails with its own error', async () => {
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

  test('a custom source fetches through the client of the run, with its credentials, limits and events', async () => {
    await using server = await apiServer(({ method }) => ({ json: method === 'POST' ? { id: 'job/1' } : [{ id: 1 }] }))
    const api = http(server.origin)
    const events: string[] = []
    const own = source<{ id: number }>(async function* ({ signal }) {
      const job = await api.post<{ id: string }>('/exports', { json: { day: 1 } }).fetch({ signal })
      await new Promise((resolve) => void setImmediate(resolve))
      yield { records: await api.get<{ id: number }[]>(`/exports/${encodeURIComponent(job.id)}`).fetch({ signal }) }
    })
    // A busy machine emits `waiting` too.
    const emit = ({ type }: RunEvent): void => {
      if (type === 'request.finished') events.push(type)
    }
    const pages = await readPages(own, { emit })
    expect(recordsOf(pages)).toEqual([{ id: 1 }])
    expect(events).toEqual(['request.finished', 'request.finished'])
    expect(server.connections).toBe(1)
  })

  test('an endpoint fetches outside a run, too', async () => {
    await using server = await apiServer([{ json: { ready: true } }])
    expect(
      await http(server.origin)
        .get<{ ready: boolean }>('/x')
        .fetch({ signal: AbortSignal.timeout(5_000) }),
    ).toEqual({ ready: true })
  })
})

describe('memory of fetches', () => {
  test('bodies that a custom source fetches count until their page is released', async () => {
    await using server = await apiServer([{ json: 'x'.repeat(100) }])
    const api = http(server.origin)
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

  test('accounts of the fetches for one page do not nest below those of the page before', async () => {
    await using server = await apiServer([{ json: 1 }])
    const api = http(server.origin)
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

  test('a fetch in a stage never waits for memory', async () => {
    await using server = await apiServer(({ path }) => ({
      json: path === '/list' ? [{ id: 1 }, { id: 2 }] : { more: 'x'.repeat(100) },
    }))
    const api = http(server.origin)
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
