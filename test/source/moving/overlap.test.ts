import { describe, expect, test } from '@jest/globals'
import { byOffset, http } from '../../../src/index.ts'
import type { Page } from '../../../src/model/page.ts'
import { readPages, recordsOf, type ReadingOptions } from '../read-pages.ts'
import { movingServer, numbers, type MovingServer, type Row } from './moving-server.ts'

interface Body {
  items: Row[]
  total: number
}

describe('pages of offsets, where rows have a key', () => {
  test('each page begins with the last record of the page before, and the first is read once more', async () => {
    await using moving = await movingServer(14)
    const pages = await read(moving)
    expect(idsOf(pages)).toEqual(numbers(14))
    expect(moving.requested()).toEqual([0, 4, 8, 12, 13, 0])
    expect(pages.map(({ counts }) => counts.fetched)).toEqual([5, 4, 4, 1, 0, 0])
    expect(gradeOf(pages)).toBe('ended')
  })

  test('pages that are requested at once overlap too', async () => {
    await using moving = await movingServer(30, { members: totalOf })
    const pages = await read(moving, { total: 'total' })
    expect(idsOf(pages)).toEqual(numbers(30))
    expect(moving.requested().toSorted((a, b) => a - b)).toEqual([0, 4, 8, 12, 16, 20, 24, 28])
    expect(gradeOf(pages)).toBe('counted')
  })

  test('no record is skipped when earlier ones are deleted, also the last one that was read', async () => {
    await using moving = await movingServer(30, {
      after: (request, rows) => {
        if (request === 2) rows.splice(2, 3)
        if (request === 4) rows.splice(0, rows.findIndex(({ id }) => id === 8) + 1)
      },
    })
    expect(without(idsOf(await read(moving)))).toEqual(numbers(30))
  })

  test('no record is skipped when all those of the last page are touched and move to the end', async () => {
    await using moving = await movingServer(30, {
      after: (request, rows) => {
        if (request === 3) rows.push(...rows.splice(8, 5).map((row) => ({ ...row, touched: true })))
      },
    })
    const pages = await read(moving)
    expect(without(idsOf(pages))).toEqual(numbers(30))
    expect(recordsOf(pages).filter((row) => (row as Row)['touched'])).toHaveLength(5)
  })

  test('no record comes twice when others are inserted before it, as long as they are fewer than a page', async () => {
    await using moving = await movingServer(20, {
      after: (request, rows) => void ([2, 3].includes(request) && rows.unshift({ id: 100 + request })),
    })
    const ids = idsOf(await read(moving, {}, { ...KEYLESS, since: '0' }, true))
    expect(ids).toEqual(numbers(20))
  })

  test('a list whose first record is touched after each page, as fast as it is read, ends and is open', async () => {
    await using moving = await movingServer(12, {
      after: (request, rows) => {
        const first = rows.shift()
        if (first) rows.push({ ...first, touched: request })
      },
    })
    const pages = await read(moving)
    expect(new Set(idsOf(pages))).toEqual(new Set(numbers(12)))
    expect(gradeOf(pages)).toBe('open')
    expect(moving.requested().length).toBeLessThan(200)
  })

  test('a list of which all records were replaced is read from its start', async () => {
    await using moving = await movingServer(20, {
      after: (request, rows) =>
        void (request === 3 && rows.splice(0, 20, ...numbers(20).map((id) => ({ id: 100 + id })))),
    })
    const ids = idsOf(await read(moving))
    expect(ids).toEqual(expect.arrayContaining(numbers(20).map((id) => 100 + id)))
  })

  test.each<[string, Options]>([
    ['offsets that begin with 1', { start: 1 }],
    ['a total', { total: 'total' }],
    ['a list that does not move and has `max`', { max: 11 }],
  ])('%s', async (_, options) => {
    await using moving = await movingServer(14, { start: options.start ?? 0, members: totalOf })
    expect(idsOf(await read(moving, options))).toEqual(numbers('max' in options ? 13 : 14))
  })

  test('pages of one record cannot overlap, and are read again where the total has changed', async () => {
    await using moving = await movingServer(8, {
      size: 1,
      members: totalOf,
      after: (request, rows) => void (request === 4 && rows.splice(1, 1)),
    })
    const pages = await read(moving, { total: 'total' }, {}, false, 1)
    expect(without(idsOf(pages))).toEqual(numbers(8))
    expect(gradeOf(pages)).toBe('counted')
  })

  test('`overlap: false` requests what follows the last record', async () => {
    await using moving = await movingServer(12)
    expect(idsOf(await read(moving, { overlap: false }))).toEqual(numbers(12))
    expect(moving.requested()).toEqual([0, 5, 10, 12])
  })

  test('records that differ at each request are known by their keys', async () => {
    let views = 0
    await using moving = await movingServer(20, {
      after: (_, rows) => rows.splice(0, 20, ...numbers(20).map((id) => ({ id, views: ++views }))),
    })
    const pages = await read(moving)
    expect(idsOf(pages)).toEqual(numbers(20))
    // One page is requested a second time, to see that only the content has changed.
    expect(moving.server.requests.length).toBeLessThan(10)
  })

  test('an API that ignores the offset is an error', async () => {
    await using moving = await movingServer(20, { by: 'page', size: 20 })
    await expect(read(moving, {}, {}, false, 20)).rejects.toThrow("seems to ignore the parameter 'offset'")
  })
})

describe('a reading that resumes at an offset', () => {
  test('it goes on behind the last record, wherever that is now', async () => {
    for (const move of MOVES) {
      await using moving = await movingServer(30)
      const before = await read(moving, {}, { pages: 3 })
      move(moving.rows)
      const rest = await read(moving, {}, { position: before.at(-1)?.position ?? null })
      expect(without([...idsOf(before), ...idsOf(rest)])).toEqual(numbers(30))
      expect(idsOf(rest).filter((id) => id < 100).length).toBeLessThan(30)
    }
  })

  test('it begins anew if none of the last records is left', async () => {
    await using moving = await movingServer(30)
    const before = await read(moving, {}, { pages: 3 })
    moving.rows.push(...moving.rows.splice(0, 13).map((row) => ({ ...row, touched: true })))
    const rest = await read(moving, {}, { position: before.at(-1)?.position ?? null })
    expect(without(idsOf(rest))).toEqual(numbers(30))
  })

  test('it is open at a position of an older version, which does not name the last records', async () => {
    await using moving = await movingServer(30)
    const position = { method: 'GET', url: '/list', query: { limit: '5', offset: '15' } } as const
    const pages = await read(moving, {}, { position })
    expect(idsOf(pages)).toEqual(numbers(30).slice(15))
    expect(pages.at(-1)?.completeness).toEqual({ grade: 'open', reasons: [expect.stringContaining('older version')] })
  })

  test('rows without a key are read from the start of the slice if the place is not found', async () => {
    await using moving = await movingServer(30)
    const before = await read(moving, {}, { pages: 3, ...KEYLESS })
    moving.rows.splice(0, 13)
    const rest = read(moving, {}, { position: before.at(-1)?.position ?? null, ...KEYLESS })
    await expect(rest).rejects.toMatchObject({ code: 'POSITION_LOST' })
  })
})

const MOVES: readonly ((rows: Row[]) => unknown)[] = [
  () => {},
  (rows) => rows.splice(2, 4),
  (rows) => rows.unshift({ id: 100 }, { id: 101 }),
  (rows) => rows.unshift(...numbers(12).map((id) => ({ id: 100 + id }))),
  (rows) => rows.push(...rows.splice(10, 3).map((row) => ({ ...row, touched: true }))),
]

interface Options {
  start?: number
  total?: 'total'
  max?: number
  overlap?: false
}
const KEYLESS = { restart: 'slice' } as const

const totalOf = (rows: readonly Row[]): object => ({ total: rows.length })

async function read(
  { server }: MovingServer,
  options: Options = {},
  reading: ReadingOptions = {},
  isIncremental = false,
  limit = 5,
): Promise<Page[]> {
  const records = http(server.origin, { concurrency: 4 })
    .get<Body>('/list', { limit })
    .pages(byOffset('offset', options))
    .records('items')
  const flow = isIncremental ? records.incremental('id', { lookback: 0 }) : records
  return readPages(flow, reading.restart === 'slice' ? reading : { key: ['id'], ...reading })
}

const idsOf = (pages: readonly Page[]): number[] => recordsOf(pages).map((row) => (row as Row).id)

/** Returns the ids below 100, each once, in order: others were inserted later. */
const without = (ids: readonly number[]): number[] =>
  [...new Set(ids)].filter((id) => id < 100).toSorted((a, b) => a - b)

const gradeOf = (pages: readonly Page[]): string | undefined => pages.at(-1)?.completeness?.grade
