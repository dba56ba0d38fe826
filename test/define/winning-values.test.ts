import { describe, expect, test } from '@jest/globals'
import { fromData, source, toData, pipeline } from '../../src/index.ts'
import { describePipeline } from '../../src/define/describe.ts'
import { streamSentences } from '../../src/define/describe-sentence.ts'

interface Row {
  id: string
  at: string
  name: string | null
  views: number
}
const rows = source<Row>(async function* () {
  yield { records: [] }
})
const followed = rows.incremental('at', { lookback: '5m' })

/** Passes a value that JavaScript may write and the compiler refuses. */
const any = (value: unknown): object => value as object

const into = (options: object) => () => rows.into('a.b', { key: 'id', ...any(options) })

describe('which value wins', () => {
  test('is part of the table, and told', () => {
    const flow = rows.into('a.b', { key: 'id', absent: 'keep', insertOnly: 'name', ignoreChanges: ['views'] })
    expect(flow.table).toMatchObject({ absent: 'keep', insertOnly: ['name'], ignoreChanges: ['views'] })
    const told = pipeline('told', { streams: { rows: flow } })
    expect(describePipeline(told)).toContain(
      'merge on id; absent fields stay; only at insert: name; no change by views alone',
    )
    expect(streamSentences(told)['rows']).toContain('merges into a.b by id and leaves what a record lacks as it is')
  })

  test('of the default nothing is kept in the table', () => {
    const { table } = rows.into('a.b', { key: 'id', absent: 'null', insertOnly: [], ignoreChanges: [] })
    expect(table).toEqual(rows.into('a.b', { key: 'id' }).table)
  })

  test('survives as data', () => {
    const options = { key: 'id', absent: 'keep', insertOnly: ['name'], ignoreChanges: ['views'] } as const
    const http = fromData({
      name: 'data',
      streams: {
        rows: {
          recipe: {
            source: {
              api: { base: 'https://a.example' },
              request: { method: 'GET', path: '/' },
              paging: { type: 'one page' },
              records: '',
            },
            stages: [],
          },
          table: { name: 'a.b', write: 'merge', ...options },
        },
      },
    } as never)
    const again = fromData(toData(http))
    expect(again.streams['rows']!.table).toMatchObject({
      absent: 'keep',
      insertOnly: ['name'],
      ignoreChanges: ['views'],
    })
  })

  for (const write of ['append', 'replace'] as const)
    test(`has no meaning for ${write}`, () => {
      const reason = write === 'append' ? 'append never changes a stored row' : 'replace stores exactly what was read'
      for (const option of [{ absent: 'keep' }, { insertOnly: ['name'] }, { ignoreChanges: ['views'] }])
        expect(() => rows.into('a.b', { key: 'id', write, ...any(option) })).toThrow(
          new RegExp(`says what stays of a stored row, but ${reason}. Leave it out, or use { write: 'merge' }`),
        )
      expect(rows.into('a.b', { key: 'id', write, absent: 'null' }).table.absent).toBeUndefined()
    })

  test('names only fields that can have another value', () => {
    expect(into({ absent: 'stay' })).toThrow(`absent is 'null' or 'keep', not "stay"`)
    expect(into({ insertOnly: 'id' })).toThrow("insertOnly names 'id', which belongs to the key: a key never changes")
    expect(into({ ignoreChanges: ['views'], versionBy: 'views' })).toThrow(
      "ignoreChanges names 'views', which decides which row is newer, so each newer row has to write it",
    )
    expect(into({ insertOnly: 'name', columns: { name: false } })).toThrow(
      "columns leaves out 'name', which insertOnly names",
    )
    expect(into({ insertOnly: ['name'], ignoreChanges: ['name'] })).toThrow(
      "insertOnly and ignoreChanges both name 'name'",
    )
    expect(into({ insertOnly: [1] })).toThrow('insertOnly consists of names of fields')
    expect(into({ insertOnly: true })).toThrow('insertOnly consists of names of fields')
    expect(() => rows.omit('name').into('a.b', { key: 'id', ...any({ insertOnly: 'name' }) })).toThrow(
      "insertOnly names 'name', which .omit() removes from the records",
    )
    // The cursor is the version, if nothing else is.
    expect(() => followed.into('a.b', { key: 'id', ignoreChanges: 'at' })).toThrow(
      "ignoreChanges names 'at', which decides",
    )
  })
})
