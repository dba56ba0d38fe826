import { describe, expect, test } from '@jest/globals'
import { byOffset, http } from '../../../src/index.ts'
import { worstOf, type Completeness } from '../../../src/model/completeness.ts'
import { readPages, recordsOf } from '../read-pages.ts'
import { movingServer, numbers, type Row } from './moving-server.ts'

interface Reading {
  readonly ids: readonly number[]
  readonly grade: string | undefined
  readonly requested: readonly number[]
}

const totalOf = (rows: readonly Row[]): object => ({ total: rows.length })

/** Reads everything of 30 records, or of others, five a page. */
async function read(
  after: (request: number, rows: Row[]) => void,
  {
    hasTotal,
    members,
    count = 30,
  }: { readonly hasTotal: boolean; readonly members?: (rows: readonly Row[]) => object; readonly count?: number },
): Promise<Reading> {
  await using moving = await movingServer(count, { after, ...(hasTotal && { members: members ?? totalOf }) })
  const pages = await readPages(
    http(moving.server.origin, { concurrency: 1 })
      .get<{ items: Row[]; total: number }>('/list', { limit: 5 })
      .pages(byOffset('offset', hasTotal ? { total: 'total' } : {}))
      .records('items'),
    { key: ['id'] },
  )
  const whole = pages.reduce<Completeness | undefined>((worst, page) => worstOf(worst, page.completeness), undefined)
  const ids = [...new Set((recordsOf(pages) as Row[]).map(({ id }) => id))].toSorted((a, b) => a - b)
  return { ids, grade: whole?.grade, requested: moving.requested() }
}

const move = (rows: Row[], from: number, to: number): void => void rows.splice(to, 0, ...rows.splice(from, 1))

describe('a full reading by offsets that overlap', () => {
  test('reads a record that moved to the front while another one was deleted, without a total', async () => {
    const { ids, grade } = await read(
      (request, rows) => {
        if (request !== 3) return
        rows.splice(2, 1)
        move(rows, 20, 0)
      },
      { hasTotal: false },
    )
    expect(ids).toEqual(numbers(30))
    expect(grade).toBe('ended')
  })

  test('reads a record that has exchanged its place with one that was read', async () => {
    const { ids, grade } = await read(
      (request, rows) => {
        if (request === 4) [rows[6], rows[25]] = [rows[25] as Row, rows[6] as Row]
      },
      { hasTotal: true },
    )
    expect(ids).toEqual(numbers(30))
    expect(grade).toBe('counted')
  })

  test('reads on behind the front until it has met a record that moved into the middle', async () => {
    const { ids, requested } = await read((request, rows) => void (request === 4 && move(rows, 25, 7)), {
      hasTotal: true,
    })
    expect(ids).toEqual(numbers(30))
    expect(requested.slice(-2)).toEqual([0, 4])
  })

  test('reads a record that moved to the front behind a full first page, while another one was deleted', async () => {
    const { ids, grade } = await read(
      (request, rows) => {
        if (request !== 1) return
        rows.splice(3, 1)
        move(rows, 4, 0)
      },
      { hasTotal: false, count: 6 },
    )
    expect(ids).toEqual(numbers(6))
    expect(grade).toBe('ended')
  })

  test('of a list at rest reads only its first page once more, and that only without a total', async () => {
    const stated = await read(() => {}, { hasTotal: true })
    expect(stated).toMatchObject({ grade: 'counted', requested: [0, 4, 8, 12, 16, 20, 24, 28] })
    const unstated = await read(() => {}, { hasTotal: false })
    expect(unstated).toMatchObject({ grade: 'ended', requested: [0, 4, 8, 12, 16, 20, 24, 28, 29, 0] })
  })

  test('is open if the API states more records than come, though nothing moved, and reads them once', async () => {
    const reading = await read(() => {}, { hasTotal: true, members: () => ({ total: 31 }) })
    expect(reading.grade).toBe('open')
    expect(reading.requested.filter((offset) => offset === 0)).toHaveLength(1)
  })
})
