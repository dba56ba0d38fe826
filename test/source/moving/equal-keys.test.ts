import { expect, test } from '@jest/globals'
import { byPage, http } from '../../../src/index.ts'
import { worstOf, type Completeness } from '../../../src/model/completeness.ts'
import { apiServer, type ApiAnswer } from '../../support/api-server.ts'
import { readPages } from '../read-pages.ts'

interface Body {
  items: { id: number }[]
}

const SIZE = 5

/** Reads a list of these keys by page numbers. Returns the grade and the requests. */
async function read(
  ids: readonly number[],
  {
    answer = (items) => ({ json: { items } }),
    only = () => true,
  }: {
    readonly answer?: (items: readonly object[]) => ApiAnswer
    readonly only?: (row: { id: number }) => boolean
  } = {},
): Promise<{ readonly grade: string | undefined; readonly requests: number }> {
  await using server = await apiServer(({ query }) => {
    const from = (Number(query.get('page')) - 1) * SIZE
    return answer(ids.slice(from, from + SIZE).map((id) => ({ id })))
  })
  const pages = await readPages(
    http(server.origin)
      .get<Body>('/list')
      .pages(byPage('page'))
      .records((body) => body.items.filter(only)),
    { key: ['id'] },
  )
  const whole = pages.reduce<Completeness | undefined>((worst, page) => worstOf(worst, page.completeness), undefined)
  return { grade: whole?.grade, requests: server.requests.length }
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, id) => id)

test('a record that is always in the list twice is no move: two equal passes end the reading', async () => {
  expect(await read([...numbers(12), 3])).toEqual({ grade: 'ended', requests: 8 })
})

test('two records of one page with one key are no move, though the API states the number of records', async () => {
  const reading = await read([0, 0, ...numbers(12).slice(1)], {
    answer: (items) => ({ json: { items }, headers: { 'x-total-count': '13' } }),
  })
  expect(reading).toEqual({ grade: 'ended', requests: 4 })
})

test('the length of a list in the body is no number of all records', async () => {
  const reading = await read(numbers(13), {
    answer: (items) => ({ json: { items, count: items.length } }),
    only: ({ id }) => id % 2 === 0,
  })
  expect(reading).toEqual({ grade: 'ended', requests: 4 })
})
