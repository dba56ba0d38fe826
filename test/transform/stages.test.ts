import { describe, expect, test } from '@jest/globals'
import { byCursor, byPage, Decimal, http, HttpError, UsageError, type Stream } from '../../src/index.ts'
import type { Page } from '../../src/model/page.ts'
import { throughStages } from '../../src/transform/through-stages.ts'
import { apiServer } from '../support/api-server.ts'
import { readPages, recordsOf } from '../source/read-pages.ts'
import { pagesOf, read, rejectsOf, row, rowsOf, type Row } from './rows.ts'

/** A function with a mistake. */
const broken = (record: Row): Row => ({ ...record, type: (record as unknown as { at: { zip: string } }).at.zip })

describe('stages', () => {
  test('stages run in the order in which they are written', async () => {
    const many = rowsOf(...Array.from({ length: 25 }, (_, id) => ({ id, reactions: [0, 1, 2, 3, 4] })))
    const flat = many.flatMap(({ id, reactions }) => reactions.map((reaction) => ({ id, reaction })))
    expect(await read(flat)).toHaveLength(125)
    expect(await read(flat.filter(({ reaction }) => reaction !== 0))).toHaveLength(100)
    expect(await read(many.filter(({ id }) => id !== 0).flatMap(({ reactions }) => reactions))).toHaveLength(120)
  })

  test('a page that a stage empties is kept, with its position and counts', async () => {
    const pages = await readPages(pagesOf(2, 3).filter(() => false))
    expect(
      pages.map(({ records, position, counts: { fetched, filtered } }) => ({ records, position, fetched, filtered })),
    ).toEqual([
      { records: [], position: 2, fetched: 2, filtered: 2 },
      { records: [], position: 5, fetched: 3, filtered: 3 },
      { records: [], position: { end: true }, fetched: 0, filtered: 0 },
    ])
  })

  test('a stage that throws rejects only its record, and keeps the record as it was read', async () => {
    const pages = await readPages(
      rowsOf(row(1), row(2), row(3))
        .map(({ id }) => ({ id, twice: id * 2 }))
        .filter(({ id }) => id !== 3)
        .map((record) => {
          if (record.id === 1) throw new RangeError('too small')
          return record
        }),
    )
    expect(recordsOf(pages)).toEqual([{ id: 2, twice: 4 }])
    expect(rejectsOf(pages)).toEqual([{ stage: 'map', reason: 'too small', record: row(1) }])
    expect(pages[0]).toMatchObject({ origins: [row(2)], counts: { fetched: 3, filtered: 1, rejected: 1 } })
  })

  test('a mistake in a function of a stage is told with its line, an error on purpose without', async () => {
    const place = expect.stringMatching(
      /^Cannot read properties of undefined \(reading 'zip'\) \(test\/transform\/stages\.test\.ts:\d+:\d+\)$/,
    )
    const flows = [
      rowsOf(row(1)).map(broken),
      rowsOf(row(1)).map(async (record) => broken(record)),
      rowsOf(row(1)).filter((record) => broken(record).id > 0),
      rowsOf(row(1)).flatMap((record) => [broken(record)]),
    ]
    for (const flow of flows)
      expect(rejectsOf(await readPages(flow as Stream<unknown>))).toMatchObject([{ reason: place, record: row(1) }])
    const thrown = rowsOf(row(1)).map(() => {
      throw new Error('order 7 costs 99')
    })
    expect(rejectsOf(await readPages(thrown))).toMatchObject([{ reason: 'order 7 costs 99' }])
  })

  test('a stage that calculates with a Decimal or a bigint rejects the record with the reason', async () => {
    await using server = await apiServer([
      {
        body: '[{"id":1,"price":0.1000000000000000055},{"id":2,"price":1.5},{"id":9007199254740993,"price":2}]',
        headers: { 'content-type': 'application/json' },
      },
    ])
    const items = http(server.origin)
      .get<{ id: number; price: number }[]>('/x')
      .pages(byPage('page', { max: 1 }))
      .records()
    const pages = await readPages(items.map(({ id, price }) => ({ id: id + 1, price: price * 2 })))
    expect(recordsOf(pages)).toEqual([{ id: 3, price: 3 }])
    expect(rejectsOf(pages)).toEqual([
      {
        stage: 'map',
        reason: expect.stringContaining('A JavaScript number cannot hold 0.1000000000000000055'),
        record: { id: 1, price: new Decimal('0.1000000000000000055') },
      },
      {
        stage: 'map',
        reason: expect.stringContaining('Cannot mix BigInt'),
        record: { id: 9007199254740993n, price: 2 },
      },
    ])
    expect(
      recordsOf(await readPages(items.pick('price'))).map((record) => String((record as { price: unknown }).price)),
    ).toEqual(['0.1000000000000000055', '1.5', '2'])
  })

  test("an error that is not the record's fault fails the stream", async () => {
    for (const error of [
      new UsageError('no such option'),
      new HttpError('answered 503', { kind: 'unavailable', status: 503 }),
      new HttpError('no connection', { kind: 'unavailable' }),
    ]) {
      await expect(
        readPages(
          rowsOf(row(1)).map(() => {
            throw error
          }),
        ),
      ).rejects.toBe(error)
    }
    expect(
      rejectsOf(
        await readPages(
          rowsOf(row(1)).map(() => {
            throw new HttpError('GET /of/1 answered 404', { kind: 'status', status: 404 })
          }),
        ),
      ),
    ).toMatchObject([{ reason: 'GET /of/1 answered 404' }])
  })

  test('a record whose stage was interrupted by the end of the run is neither rejected nor kept', async () => {
    const controller = new AbortController()
    const seen: Page[] = []
    const pages = throughStages(
      (async function* () {
        yield {
          records: [1, 2],
          counts: { fetched: 2, expanded: 0, filtered: 0, duplicate: 0, deleted: 0, rejected: 0, parents: 0 },
          rejects: [],
        }
      })(),
      [
        {
          type: 'map',
          concurrency: 1,
          ordered: true,
          fn: () => {
            controller.abort(new Error('enough'))
            throw new Error('a request was aborted')
          },
        },
      ],
      { signal: controller.signal },
    )
    await expect(async () => {
      for await (const page of pages) seen.push(page)
    }).rejects.toThrow('enough')
    expect(seen).toEqual([])
  })
})

describe('map', () => {
  test('map awaits promises, `concurrency` at a time, in the order of the records', async () => {
    let running = 0
    let most = 0
    const slow = async ({ id }: Row): Promise<number> => {
      most = Math.max(most, ++running)
      await new Promise((resolve) => void setTimeout(resolve, id === 1 ? 30 : 2))
      running--
      if (id === 2) throw new Error('not two')
      return id
    }
    const pages = await readPages(pagesOf(6, 1).map(slow, { concurrency: 3 }))
    expect({ most, records: recordsOf(pages) }).toEqual({ most: 3, records: [1, 3, 4, 5, 6, 7] })
    expect(rejectsOf(pages)).toEqual([{ stage: 'map', reason: 'not two', record: row(2) }])
    expect(pages[0]!.origins).toEqual([1, 3, 4, 5, 6].map(row))
    const completed = await readPages(pagesOf(6).map(slow, { concurrency: 3, ordered: false }))
    expect(recordsOf(completed)).not.toEqual([1, 3, 4, 5, 6])
    expect(recordsOf(completed).toSorted((a, b) => Number(a) - Number(b))).toEqual([1, 3, 4, 5, 6])
    expect(completed[0]!.origins).toEqual(recordsOf(completed).map((id) => row(id as number)))
  })

  test('map accepts a function that returns promises for some records only', async () => {
    expect(await read(pagesOf(5).map(({ id }) => (id % 2 ? id : Promise.resolve(id))))).toEqual([1, 2, 3, 4, 5])
  })
})

describe('filter', () => {
  test('filter refuses a function that returns a promise, which would keep every record', async () => {
    await expect(readPages(pagesOf(1).filter((async () => false) as never))).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining('always true'),
    })
  })

  test('filter rejects a record on which its function throws', async () => {
    expect(
      rejectsOf(
        await readPages(
          pagesOf(2).filter(({ id }) => {
            if (id === 1) throw new Error('odd')
            return true
          }),
        ),
      ),
    ).toMatchObject([{ stage: 'filter', reason: 'odd' }])
  })
})

describe('tap', () => {
  test('tap sees each record and changes none', async () => {
    const seen: number[] = []
    expect(
      await read(
        pagesOf(3).tap(async ({ id }) => {
          seen.push(id)
        }),
      ),
    ).toEqual([1, 2, 3].map(row))
    expect(seen).toEqual([1, 2, 3])
  })

  test('tap fails the stream with the error that its function threw', async () => {
    const error = new TypeError('the queue is down')
    await expect(
      readPages(
        pagesOf(3).tap(() => {
          throw error
        }),
      ),
    ).rejects.toBe(error)
    await expect(
      readPages(
        pagesOf(3).tap(
          async () => {
            throw error
          },
          { concurrency: 2 },
        ),
      ),
    ).rejects.toBe(error)
  })
})

test('a page whose stage fails releases its memory', async () => {
  const { MemoryBudget } = await import('../../src/flow/memory-budget.ts')
  const budget = new MemoryBudget(1 << 20)
  await using server = await apiServer([{ json: { rows: [{ id: 1 }], next: null } }])
  const flow = http(server.origin)
    .get<{ rows: Row[]; next: string | null }>('/x')
    .pages(byCursor('c', 'next'))
    .records('rows')
    .tap(() => {
      throw new Error('no')
    })
  await expect(readPages(flow, { memory: budget.account() })).rejects.toThrow('no')
  expect(budget.used).toBe(0)
})
