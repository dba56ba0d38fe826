import { describe, expect, test } from '@jest/globals'
import { encodePages, SchemaChangeRequest } from '../../../src/load/encode/encode-pages.ts'
import { openTableWriter, type TableWriter } from '../../../src/load/table-writer.ts'
import type { Database } from '../../../src/database/database.ts'
import type { Page } from '../../../src/model/page.ts'
import { testDatabase } from '../../support/database.ts'
import { commit, page, table } from '../support.ts'

const open = (database: Database): Promise<TableWriter> =>
  openTableWriter(database, table(), { slice: { id: '1', pipeline: 'shop', stream: 'orders' } })

/** Pages whose memory is counted as it is given back. */
function counted(records: readonly (readonly unknown[])[]): {
  readonly pages: AsyncGenerator<Page>
  readonly given: number[]
  readonly closed: () => boolean
} {
  const given: number[] = []
  let closed = false
  return {
    given,
    closed: () => closed,
    pages: (async function* (): AsyncGenerator<Page> {
      try {
        for (const [index, one] of records.entries())
          yield page(one, { position: { page: index }, hold: { [Symbol.dispose]: () => given.push(index) } })
      } finally {
        closed = true
      }
    })(),
  }
}

describe('encodePages', () => {
  test('yields pages one by one, and a needed schema change before the page that needs it', async () => {
    await using test = await testDatabase()
    const writer = await open(test.database)
    const { pages, given } = counted([[{ id: 1 }], [{ id: 2 }], [{ id: 3, more: 1 }], [{ id: 4, more: 1.5 }]])
    const seen: string[] = []
    for await (const item of encodePages(pages, writer)) {
      if (item instanceof SchemaChangeRequest) {
        seen.push('change')
        await writer.change(item.needed)
        item.settle('changed')
      } else {
        seen.push(JSON.stringify(item.position))
        await commit(test.database, writer, [item])
      }
    }
    expect(seen).toEqual(['change', '{"page":0}', '{"page":1}', 'change', '{"page":2}', 'change', '{"page":3}'])
    expect(given).toEqual([0, 1, 2, 3])
    expect(await test.database.query('select sum(more)::text as sum from shop.orders')).toEqual([{ sum: '2.5' }])
  })

  test('waits until the change is settled; leaving it then releases the page and closes the source', async () => {
    await using test = await testDatabase()
    const writer = await open(test.database)
    const { pages, given, closed } = counted([[{ id: 1 }], [{ id: 2 }]])
    const controller = new AbortController()
    const items = encodePages(pages, writer, { signal: controller.signal })
    expect((await items.next()).value).toBeInstanceOf(SchemaChangeRequest)
    const next = items.next()
    controller.abort(new Error('enough'))
    await expect(next).rejects.toThrow('enough')
    expect(given).toEqual([0])
    expect(closed()).toBe(true)
  })

  test('keeps the position, counts and high-water mark of a page, and adds the rejects of the encoder', async () => {
    await using test = await testDatabase()
    const writer = await open(test.database)
    const origin = { raw: true }
    const one = page([{ id: 1 }, { id: null }], {
      position: { end: true },
      highWaterMark: { value: '7' },
      origins: [{}, origin],
      rejects: [{ stage: 'map', reason: 'no', record: {} }],
      counts: { fetched: 5, expanded: 0, filtered: 1, duplicate: 1, deleted: 0, rejected: 1, parents: 3 },
    })
    const items: unknown[] = []
    for await (const item of encodePages(
      (async function* () {
        yield one
      })(),
      writer,
    )) {
      if (item instanceof SchemaChangeRequest) {
        await writer.change(item.needed)
        item.settle('changed')
      } else items.push(item)
    }
    expect(items).toEqual([
      expect.objectContaining({
        rows: 1,
        bytes: 2,
        position: { end: true },
        highWaterMark: { value: '7' },
        counts: { fetched: 5, expanded: 0, filtered: 1, duplicate: 1, deleted: 0, rejected: 2, parents: 3 },
        rejects: [
          { stage: 'map', reason: 'no', record: {} },
          { stage: 'encode', reason: expect.stringContaining('belongs to the key and is null'), record: origin },
        ],
      }),
    ])
  })
})
