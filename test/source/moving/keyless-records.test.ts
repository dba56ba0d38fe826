import { describe, expect, test } from '@jest/globals'
import { byOffset, http } from '../../../src/index.ts'
import type { Page } from '../../../src/model/page.ts'
import { readPages, recordsOf, type ReadingOptions } from '../read-pages.ts'
import { movingServer, numbers, type MovingServer, type Row } from './moving-server.ts'

const READING = { restart: 'slice', since: '0' } as const

describe('rows without a key, in a list that moves', () => {
  test('the slice restarts if the last record comes again behind others', async () => {
    await using moving = await movingServer(20, { after: (request, rows) => void (request === 2 && part(rows)) })
    await expect(read(moving, READING)).rejects.toMatchObject({ code: 'POSITION_LOST' })
  })

  test('it restarts too if it was interrupted before the record came again', async () => {
    await using moving = await movingServer(20, { after: (request, rows) => void (request === 2 && part(rows)) })
    const before = await read(moving, { ...READING, pages: 3 })
    const rest = read(moving, { ...READING, position: before.at(-1)?.position ?? null })
    await expect(rest).rejects.toMatchObject({ code: 'POSITION_LOST' })
  })

  test('in the last pass, each is left out that was read, also on later pages', async () => {
    await using moving = await movingServer(50, {
      size: 10,
      after: (request, rows) => void (request === 3 && touchEight(rows)),
    })
    const pages = await read(moving, { ...READING, pass: 3 }, 10)
    const records = recordsOf(pages).map((row) => JSON.stringify(row))
    expect(records).toHaveLength(58)
    expect(new Set(records).size).toBe(58)
    expect(gradeOf(pages)).toBe('open')
  })

  test('in the last pass, an interruption restarts the slice once the list has moved', async () => {
    await using moving = await movingServer(40, { after: (request, rows) => void (request === 4 && touchLast(rows)) })
    const before = await read(moving, { ...READING, pass: 3, pages: 5 })
    const rest = read(moving, { ...READING, position: before.at(-1)?.position ?? null })
    await expect(rest).rejects.toMatchObject({ code: 'POSITION_LOST' })
  })

  test('in the last pass, a reading that resumes does not leave out what it has not read itself', async () => {
    await using moving = await movingServer(40)
    const before = await read(moving, { ...READING, pass: 3, pages: 4 })
    touchLast(moving.rows)
    const rest = read(moving, { ...READING, pass: 3, position: before.at(-1)?.position ?? null })
    await expect(rest).rejects.toMatchObject({ code: 'POSITION_LOST' })
  })

  test('it restarts if it was interrupted behind a first page of one record, which does not overlap', async () => {
    await using moving = await movingServer(1, { size: 3 })
    const [first] = await read(moving, { ...READING, pages: 1 }, 3)
    moving.rows.unshift({ id: 100 })
    moving.rows.push(...numbers(9).map((id) => ({ id: id + 1 })))
    const [second] = await read(moving, { ...READING, position: first!.position!, pages: 1 }, 3)
    const rest = read(moving, { ...READING, position: second!.position! }, 3)
    await expect(rest).rejects.toMatchObject({ code: 'POSITION_LOST' })
  })
})

/** 7, the last record but one, is then at the offset 8. Others are between it and 8, the last one. */
function part(rows: Row[]): void {
  rows.splice(8, 0, ...numbers(5).map((id) => ({ id: 100 + id })))
  rows.unshift({ id: 99 })
}

/** The four last records are touched, so the reading goes on behind an older one. */
const touchLast = (rows: Row[]): void => touch(rows, ({ id }) => id >= 13 && id <= 16)

/** 9 is then the last one that is known: those from 10 to 23 were read, and no position names them. */
const touchEight = (rows: Row[]): void => touch(rows, ({ id }) => (id >= 15 && id <= 18) || (id >= 24 && id <= 27))

function touch(rows: Row[], which: (row: Row) => boolean): void {
  const touched = rows.filter(which)
  for (const row of touched) rows.splice(rows.indexOf(row), 1)
  rows.push(...touched.map((row) => ({ ...row, touched: true })))
}

async function read({ server }: MovingServer, reading: ReadingOptions, limit = 5): Promise<Page[]> {
  const records = http(server.origin, { concurrency: 4 })
    .get<{ items: Row[] }>('/list', { limit })
    .pages(byOffset('offset'))
    .records('items')
  return readPages(records.incremental('id', { lookback: 0 }), reading)
}

const gradeOf = (pages: readonly Page[]): string | undefined => pages.at(-1)?.completeness?.grade
