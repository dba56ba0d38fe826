import { describe, expect, test } from '@jest/globals'
import { byOffset, http, onePage, path, source, type Stream } from '../../../src/index.ts'
import { worstOf, type Completeness } from '../../../src/model/completeness.ts'
import type { Page, Position } from '../../../src/model/page.ts'
import { OpenChildren } from '../../../src/source/children/open-children.ts'
import { apiServer, type ApiHandler } from '../../support/api-server.ts'
import { readPages } from '../read-pages.ts'

interface Shop {
  id: number
}
interface Order {
  id: string
}

/** Shops, three to a page, each with two orders. The total of a shop's orders is too high for those in `open`. */
function shops(open: readonly number[], { announced = 6 } = {}): ApiHandler {
  return ({ path, query }) => {
    const shop = /^\/shops\/(\d+)\/orders$/.exec(path)?.[1]
    if (shop !== undefined)
      return {
        json: [{ id: `${shop}-1` }, { id: `${shop}-2` }],
        headers: { 'x-total': open.includes(Number(shop)) ? String(Number(shop) * 10) : '2' },
      }
    const from = Number(query.get('offset'))
    const items = Array.from({ length: Math.max(0, Math.min(3, 6 - from)) }, (_, index) => ({ id: from + index + 1 }))
    return { json: { items, total: announced } }
  }
}

function ordersOf(origin: string, options: { overlap?: false } = {}): Stream<Order> {
  const api = http(origin)
  return api
    .get<{ items: Shop[]; total: number }>('/shops', { limit: 3 })
    .pages(byOffset('offset', { total: 'total', ...options }))
    .records('items')
    .flatMap(
      ({ id }) =>
        api
          .get<Order[]>(path`/shops/${id}/orders`)
          .pages(onePage())
          .records(),
      { concurrency: 3 },
    )
}

const child = (n: number): Stream<number> =>
  source<number>(async function* () {
    yield { records: [n], complete: n % 2 === 0 ? 'ended' : { open: `file ${n} is cut off` } }
  })
const list = (...records: number[]): Stream<number> =>
  source<number>(async function* () {
    yield { records, position: 1 }
  })

const gradeOf = (pages: readonly Page[]): Completeness | undefined =>
  pages.reduce<Completeness | undefined>((worst, { completeness }) => worstOf(worst, completeness), undefined)

const ONE = "GET /shops/4/orders: 2 records came, but the header 'x-total' states 40"

describe('the completeness of a stream with children', () => {
  test('children and parents that have ended make a stream that has ended', async () => {
    await using server = await apiServer(shops([]))
    const pages = await readPages(ordersOf(server.origin, { overlap: false }), { key: ['id'] })
    expect(gradeOf(pages)).toEqual({ grade: 'ended', reasons: [] })
    // Six children are counted, and the parents are not: the key is that of the children.
    expect(pages.flatMap(({ completeness }) => completeness ?? []).map(({ grade }) => grade)).toEqual([
      ...Array.from({ length: 6 }, () => 'counted'),
      'ended',
    ])
  })

  test('parents whose pages overlap have ended where the API does not state their number', async () => {
    await using server = await apiServer(shops([]))
    const pages = await readPages(ordersOf(server.origin), { key: ['id'] })
    expect(gradeOf(pages)).toEqual({ grade: 'ended', reasons: [] })
    expect(pages.flatMap(({ records }) => records)).toHaveLength(12)
  })

  test('one child that is open makes its stream open, with its own reason', async () => {
    await using server = await apiServer(shops([4]))
    expect(gradeOf(await readPages(ordersOf(server.origin)))).toEqual({
      grade: 'open',
      reasons: [expect.stringContaining(ONE)],
    })
  })

  test('children that are open for one reason give one reason, with their number', async () => {
    await using server = await apiServer(shops([2, 4, 5]))
    const pages = await readPages(ordersOf(server.origin))
    expect(gradeOf(pages)).toEqual({
      grade: 'open',
      reasons: [
        expect.stringMatching(
          /^3 children may be incomplete, such as GET \/shops\/2\/orders: 2 records came, but .* states 20/,
        ),
      ],
    })
    // The grade is there at once, so that an interrupted stream is open too.
    expect(
      pages.filter(({ completeness }) => completeness?.grade === 'open' && completeness.reasons.length === 0),
    ).toHaveLength(3)
  })

  test('a list of parents that is open makes the stream open', async () => {
    await using server = await apiServer(shops([], { announced: 9 }))
    expect(gradeOf(await readPages(ordersOf(server.origin)))).toEqual({
      grade: 'open',
      reasons: [expect.stringContaining("GET /shops: 6 records came, but 'total' states 9")],
    })
  })

  test('a stream that was interrupted anywhere names as many children', async () => {
    await using server = await apiServer(shops([2, 4, 5]))
    const flow = ordersOf(server.origin)
    const whole = await readPages(flow)
    for (let stop = 1; stop < whole.length; stop++) {
      const position = JSON.parse(JSON.stringify(whole[stop - 1]!.position)) as Position
      const rest = await readPages(flow, { position })
      expect(rest.at(-1)!.completeness).toEqual(whole.at(-1)!.completeness)
    }
  })

  test('grandchildren count in the reason of their parent', async () => {
    const flow = list(10, 20).flatMap((n) => list(n + 1, n + 2, n + 3).flatMap(child))
    expect(gradeOf(await readPages(flow))).toEqual({
      grade: 'open',
      reasons: ['2 children may be incomplete, such as 2 children may be incomplete, such as file 11 is cut off'],
    })
  })
})

test('a million children that are open need the memory of ten', () => {
  const children = new OpenChildren()
  const words = Array.from({ length: 20 }, (_, index) => String.fromCodePoint(97 + index))
  for (let child = 0; child < 1_000_000; child++) {
    children.add({
      completeness: { grade: 'open', reasons: [`GET /x/${child}: ${words[child % 20]} ${child}`] },
    } as unknown as Page)
    children.endChild()
  }
  expect(children.stored).toHaveLength(10)
  expect(children.stored!.reduce((sum, kind) => sum + kind.children, 0)).toBe(1_000_000)
})
