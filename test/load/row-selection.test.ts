import { describe, expect, test } from '@jest/globals'
import { ChunkRing } from '../../src/load/encode/chunk-ring.ts'
import { columnType } from '../../src/load/values/column-type.ts'
import type { EncodedRows } from '../../src/load/encode/encoded-page.ts'
import { PageEncoder } from '../../src/load/encode/page-encoder.ts'
import { splitByShape, chunksOf, halves, selectRows, type RowSelection } from '../../src/load/row-selection.ts'
import { page } from './support.ts'

const column = (field: string, type: string, key = false) => ({
  field,
  name: field,
  type: columnType(type),
  key,
  declared: false,
  round: false,
})
const never = (): never => {
  throw new Error('no value of these tests is a mismatch')
}
function encoder(ring: ChunkRing, hash = 'one'): PageEncoder {
  const columns = [column('id', 'bigint', true), column('t', 'text')]
  return new PageEncoder({ hash, columns, version: undefined, constant: undefined }, { undetermined: [], ring })
}
const encode = (one: PageEncoder, records: readonly unknown[]): EncodedRows =>
  one.encode(page(records), never) as EncodedRows
const textOf = (rows: RowSelection): string => Buffer.concat([...chunksOf(rows)]).toString()

describe('encoded pages', () => {
  test('have the same bytes wherever a chunk ends, and however they are split', () => {
    const ring = new ChunkRing({ bytes: 64 })
    const one = encoder(ring)
    // Longer than a chunk too; with characters of one to four bytes.
    const records = Array.from({ length: 60 }, (_, id) => ({
      id,
      t: ['a', 'é', '漢', '😀'][id % 4]!.repeat((id * 7) % 40),
    }))
    const pages = [
      encode(one, records.slice(0, 1)),
      encode(one, []),
      encode(one, records.slice(1, 33)),
      encode(one, records.slice(33)),
    ]
    const expected = records.map(({ id, t }) => `${id}\t${t}\n`).join('')
    const all = selectRows(pages, 'newest')
    expect(textOf(all)).toBe(expected)
    expect(pages.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(Buffer.byteLength(expected))
    let parts: readonly RowSelection[] = [all]
    while (parts.some(({ rows }) => rows > 1)) {
      parts = parts.flatMap((part) => (part.rows > 1 ? halves(part) : [part]))
      expect(parts.map(textOf).join('')).toBe(expected)
    }
    expect(parts.map(({ rows }) => rows)).toEqual(records.map(() => 1))
  })

  test('reject half of a surrogate pair, and keep all other rows, also with U+FFFD', () => {
    const one = encoder(new ChunkRing({ bytes: 64 }))
    const records = [
      { id: 1, t: 'a' },
      { id: 2, t: '\ufffd' },
      { id: 3, t: 'b\ud83d' },
      { id: 4, t: '\udc00' },
      { id: 5, t: '😀' },
    ]
    const reasons: string[] = []
    const reject = (mismatch: { readonly message: string }) => {
      reasons.push(mismatch.message)
      return { type: 'reject', reason: mismatch.message } as const
    }
    const encoded = one.encode(page(records), reject) as EncodedRows
    expect(textOf(selectRows([encoded], 'newest'))).toBe('1\ta\n2\t\ufffd\n5\t😀\n')
    expect(encoded.rejects.map(({ record }) => record)).toEqual([records[2], records[3]])
    expect(reasons).toEqual(Array(2).fill('t: it holds half of a surrogate pair, which is not a character'))
    expect(textOf(selectRows([encode(one, [{ id: 6, t: 'c' }])], 'newest'))).toBe('6\tc\n')
  })

  test('keep one row of each key over several pages: the last, or the first', () => {
    const one = encoder(new ChunkRing())
    const pages = [
      encode(one, [
        { id: 1, t: 'a' },
        { id: 2, t: 'b' },
        { id: 1, t: 'c' },
      ]),
      encode(one, [
        { id: 3, t: 'd' },
        { id: 2, t: 'e' },
        { id: '3', t: 'f' },
      ]),
    ]
    expect(selectRows(pages, 'newest')).toMatchObject({ rows: 3, duplicates: 3 })
    expect(textOf(selectRows(pages, 'newest'))).toBe('1\tc\n2\te\n3\tf\n')
    expect(textOf(selectRows(pages, 'first'))).toBe('1\ta\n2\tb\n3\td\n')
    expect(selectRows(pages, 'all')).toMatchObject({ rows: 6, duplicates: 0 })
  })

  test('of several shapes are split in order', () => {
    const ring = new ChunkRing()
    const [one, other] = [encoder(ring), encoder(ring, 'other')]
    const rows = selectRows(
      [encode(one, [{ id: 1 }]), encode(one, [{ id: 2 }]), encode(other, [{ id: 3 }]), encode(one, [{ id: 4 }])],
      'newest',
    )
    expect(splitByShape(rows).map((part) => [part.rows.rows, textOf(part.rows)])).toEqual([
      [2, '1\t\\N\n2\t\\N\n'],
      [1, '3\t\\N\n'],
      [1, '4\t\\N\n'],
    ])
  })

  test('reuse their memory once they are disposed, and throw when they are read after that', () => {
    const ring = new ChunkRing({ bytes: 1_000 })
    const one = encoder(ring)
    const buffers = new Set<ArrayBufferLike>()
    for (let round = 0; round < 50; round += 1) {
      const pages = Array.from({ length: 5 }, () => encode(one, [{ id: round, t: 'x'.repeat(300) }]))
      for (const chunk of chunksOf(selectRows(pages, 'all'))) buffers.add(chunk.buffer)
      for (const each of pages) each[Symbol.dispose]()
      for (const each of pages) each[Symbol.dispose]()
      expect(() => [...pages[0]!.slices(0, 1)]).toThrow('after it was disposed')
    }
    expect(buffers.size).toBeLessThanOrEqual(3)
  })

  test('share no memory before they are disposed', () => {
    const one = encoder(new ChunkRing({ bytes: 256 }))
    const first = encode(one, [{ id: 1, t: 'a'.repeat(100) }])
    const second = encode(one, [{ id: 2, t: 'b'.repeat(100) }])
    first[Symbol.dispose]()
    const third = encode(one, [{ id: 3, t: 'c'.repeat(120) }])
    expect(textOf(selectRows([second], 'all'))).toBe(`2\t${'b'.repeat(100)}\n`)
    expect(textOf(selectRows([third], 'all'))).toBe(`3\t${'c'.repeat(120)}\n`)
  })
})
