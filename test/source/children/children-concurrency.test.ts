import { describe, expect, test } from '@jest/globals'
import { MemoryBudget } from '../../../src/flow/memory-budget.ts'
import { byPage, http, path } from '../../../src/index.ts'
import type { Page } from '../../../src/model/page.ts'
import { apiServer } from '../../support/api-server.ts'
import { forum } from '../forum.ts'
import { readPages } from '../read-pages.ts'
import { ids, shapes } from './child-shapes.ts'

describe('concurrency', () => {
  test('`concurrency` children are read at the same time, and yielded in the order of their parents', async () => {
    let open = 0
    let most = 0
    const four = Promise.withResolvers<void>()
    await using server = await apiServer(async ({ path, query }) => {
      if (path === '/parents')
        return { json: query.get('page') === '1' ? Array.from({ length: 12 }, (_, id) => ({ id })) : [] }
      most = Math.max(most, ++open)
      if (open === 4) four.resolve()
      await four.promise // However slow the machine is, four children are read at the same time.
      await new Promise((resolve) => void setTimeout(resolve, 5 + ((Number(path.split('/')[2]) * 7) % 20)))
      open--
      return { json: Number(query.get('page')) > 2 ? [] : [{ id: `${path.split('/')[2]}.${query.get('page')}` }] }
    })
    const api = http(server.origin, { concurrency: 50 })
    const flow = api
      .get<{ id: number }[]>('/parents')
      .pages(byPage('page'))
      .records()
      .flatMap(
        ({ id }) =>
          api
            .get<{ id: string }[]>(path`/of/${id}`)
            .pages(byPage('page'))
            .records(),
        { concurrency: 4 },
      )
    expect(ids(await readPages(flow))).toEqual(Array.from({ length: 12 }, (_, id) => [`${id}.1`, `${id}.2`]).flat())
    expect(most).toBe(4)
  })

  test('a child is yielded page by page, and only a bounded number of pages is requested ahead', async () => {
    await using server = await apiServer(({ path, query }) =>
      path === '/parents'
        ? { json: query.get('page') === '1' ? [{ id: 1 }, { id: 2 }] : [] }
        : { json: [{ id: `${path} ${query.get('page')}` }] },
    )
    const api = http(server.origin)
    const endless = api
      .get<{ id: number }[]>('/parents')
      .pages(byPage('page'))
      .records()
      .flatMap(
        ({ id }) =>
          api
            .get<{ id: string }[]>(path`/of/${id}`)
            .pages(byPage('page'))
            .records(),
        { concurrency: 2 },
      )
    expect(await readPages(endless, { pages: 5 })).toHaveLength(5)
    const requestsOf = (id: number): number => server.requests.filter(({ path }) => path === `/of/${id}`).length
    expect(requestsOf(1)).toBeLessThanOrEqual(6)
    expect(requestsOf(2)).toBeLessThanOrEqual(2)
  })

  test.each(Object.keys(shapes))(
    '%s is read within a budget of about one page, and all memory is released',
    async (shape) => {
      await using api = await forum(undefined, { size: 2 })
      const budget = new MemoryBudget(100)
      const pages = await readPages(shapes[shape]!(api), { memory: budget.account() })
      expect(ids(pages)).toEqual(ids(await readPages(shapes[shape]!(api))))
      expect({ used: budget.used, waiting: budget.waiting }).toEqual({ used: 0, waiting: 0 })
    },
  )

  test('three slices share a budget of about two pages without blocking each other', async () => {
    await using api = await forum()
    const budget = new MemoryBudget(200)
    await Promise.all(
      ['one deep', 'two deep in a chain', 'two deep in the child'].map((shape) =>
        readPages(shapes[shape]!(api), { memory: budget.account() }),
      ),
    )
    expect(budget.used).toBe(0)
  })

  test('leaving early cancels every request and releases all memory', async () => {
    await using api = await forum()
    for (const pages of [1, 2, 4, 7]) {
      const budget = new MemoryBudget(1 << 20)
      await readPages(shapes['two deep in a chain']!(api), { pages, memory: budget.account() })
      expect({ used: budget.used, waiting: budget.waiting }).toEqual({ used: 0, waiting: 0 })
    }
  })

  test('a child that fails ends the slice with its error, after the pages of the children before it', async () => {
    await using api = await forum()
    api.gone.add('/topics/3/posts?page=1')
    const read: Page[] = []
    const { openScope } = await import('../../../src/read/open-scope.ts')
    const { readRecipe } = await import('../../../src/read/read-recipe.ts')
    await using scope = openScope()
    await expect(async () => {
      for await (const page of readRecipe(
        api.all.flatMap(api.posts, { concurrency: 4 }).recipe,
        { position: null, restart: 'page' },
        scope,
      ))
        read.push(page)
    }).rejects.toMatchObject({ code: 'HTTP', status: 410 })
    expect(ids(read)).toEqual(['1-1', '2-1', '2-2'])
  })

  test('an aborted slice of children rejects with the reason of its signal', async () => {
    const controller = new AbortController()
    await using server = await apiServer(({ path }) => {
      if (path === '/parents') return { json: [{ id: 1 }] }
      controller.abort(new Error('enough'))
      return { hang: true }
    })
    const api = http(server.origin)
    const flow = api
      .get<{ id: number }[]>('/parents')
      .pages(byPage('page', { max: 1 }))
      .records()
      .flatMap(({ id }) =>
        api
          .get<{ id: string }[]>(path`/of/${id}`)
          .pages(byPage('page'))
          .records(),
      )
    await expect(readPages(flow, { signal: controller.signal })).rejects.toThrow('enough')
  })
})
