import { expect, test } from '@jest/globals'
import { byOffset, http } from '../../../src/index.ts'
import type { Page } from '../../../src/model/page.ts'
import { readPages, recordsOf } from '../read-pages.ts'
import { movingServer, numbers, type MovingServer, type Row } from './moving-server.ts'

let views = 0
const view = (rows: Row[]): void => void rows.splice(0, rows.length, ...rows.map(({ id }) => ({ id, views: ++views })))

test('the slice restarts if records without a key differ in each response', async () => {
  for (const pass of [1, 2]) {
    await using moving = await movingServer(100, { after: (_, rows) => view(rows) })
    await expect(read(moving, pass)).rejects.toMatchObject({ code: 'POSITION_LOST' })
  }
})

test('in the last pass, each record comes once though all differ in each response, and the grade is open', async () => {
  await using moving = await movingServer(100, { after: (_, rows) => view(rows) })
  const pages = await read(moving, 3)
  expect((recordsOf(pages) as Row[]).map(({ id }) => id)).toEqual(numbers(100))
  expect(pages.at(-1)?.completeness?.grade).toBe('open')
  expect(pages.at(-1)?.completeness?.reasons[0]).toMatch('its records have other values in each response')
  expect(moving.requested().slice(0, 4)).toEqual([0, 4, 0, 5])
})

test('in the last pass, no record of a list that has moved comes twice or is left out', async () => {
  await using moving = await movingServer(40, {
    after: (request, rows) => void (request === 3 && rows.unshift(...numbers(6).map((id) => ({ id: 100 + id })))),
  })
  const pages = await read(moving, 3)
  expect((recordsOf(pages) as Row[]).map(({ id }) => id)).toEqual(numbers(40))
  expect(pages.at(-1)?.completeness?.grade).toBe('open')
})

const read = ({ server }: MovingServer, pass: number): Promise<Page[]> =>
  readPages(
    http(server.origin).get<{ items: Row[] }>('/list', { limit: 5 }).pages(byOffset('offset')).records('items'),
    { restart: 'slice', pass },
  )
