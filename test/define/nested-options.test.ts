import { describe, expect, test } from '@jest/globals'
import { pipeline, source } from '../../src/index.ts'
import { describePipeline } from '../../src/define/describe.ts'
import { streamSentences } from '../../src/define/describe-sentence.ts'

interface Row {
  id: string
  address: { city: string; zip: string } | null
  lines: { n: number }[]
}
const rows = source<Row>(async function* () {
  yield { records: [] }
})

const into = (options: object) => () => rows.into('a.b', { key: 'id', ...options })

describe('flatten', () => {
  test('is part of the table, and told', () => {
    const flow = rows.into('a.b', {
      key: 'id',
      flatten: { address: { prefix: 'to' } },
      columns: { 'to.zip': 'text' },
      insertOnly: ['address.city'],
    })
    expect(flow.table).toMatchObject({ flatten: { address: { prefix: 'to' } }, insertOnly: ['address.city'] })
    expect(describePipeline(pipeline('told', { streams: { rows: flow } }))).toContain('; flattened: address')
    expect(rows.into('a.b', { key: 'id', flatten: {} }).table.flatten).toBeUndefined()
  })

  test('refuses what cannot be meant', () => {
    expect(into({ flatten: ['address'] })).toThrow('.into("a.b"): flatten names fields, as in { address: true }')
    expect(into({ flatten: { address: false } })).toThrow(
      '.into("a.b"): flatten.address: its options must be an object',
    )
    expect(into({ flatten: { address: { prefx: 'a' } } })).toThrow('there is no option "prefx". Did you mean "prefix"?')
    expect(into({ flatten: { address: { prefix: '' } } })).toThrow(
      'flatten.address has prefix "": it is a word, such as \'ship\'',
    )
    expect(into({ flatten: { address: { depth: 0 } } })).toThrow(
      'flatten.address has depth 0: it is a whole number from 1',
    )
    expect(into({ flatten: { id: true } })).toThrow("flatten names 'id', which belongs to the key: a key is one value")
    expect(into({ flatten: { address: true }, columns: { address: false } })).toThrow(
      "columns leaves out 'address', which flatten names",
    )
    expect(into({ flatten: { address: true, lines: { prefix: 'address' } } })).toThrow(
      "flatten gives 'address' and 'lines' the same prefix, address",
    )
  })
})

describe('children', () => {
  test('are part of the table, and told', () => {
    const flow = rows.into('a.b', { key: 'id', children: { lines: { key: 'n', children: { parts: {} } } } })
    expect(flow.table.children).toEqual({ lines: { key: 'n', children: { parts: {} } } })
    const told = pipeline('told', { streams: { rows: flow } })
    expect(describePipeline(told)).toContain('; lists of their own: lines on n (parts by place)')
    expect(streamSentences(told)['rows']).toContain(
      'merges into a.b by id, with the lists lines in tables of their own',
    )
  })

  test('refuse what cannot be meant', () => {
    expect(into({ children: ['lines'] })).toThrow("children names lists, as in { lines: { key: 'line' } }")
    expect(into({ children: { lines: true } })).toThrow('.into("a.b"): children.lines: its options must be an object')
    expect(into({ children: { lines: { keys: 'n' } } })).toThrow('there is no option "keys". Did you mean "key"?')
    expect(into({ children: { id: {} } })).toThrow('children.id: the field belongs to the key, so it holds no list')
    expect(into({ children: { lines: { key: [] } } })).toThrow('children.lines: a key consists of names of fields')
    expect(into({ children: { lines: { parentKey: ['a', 'b'] } } })).toThrow(
      "children.lines: parentKey names 2 of the 1 fields of the parent's key",
    )
    expect(into({ children: { lines: { key: 'n', parentKey: 'n' } } })).toThrow("parentKey and key name 'n' twice")
    expect(into({ children: { lines: { table: 'lines' } } })).toThrow('children.lines: name the table with its schema')
    expect(into({ children: { lines: {} }, flatten: { lines: true } })).toThrow(
      "children and flatten both name 'lines': it is a list or an object",
    )
    expect(into({ children: { lines: {} }, columns: { lines: false } })).toThrow(
      "columns leaves out 'lines', which children names",
    )
    expect(into({ children: { lines: { children: { parts: { parentKey: 'a' } } } } })).toThrow(
      "children.lines.children.parts: parentKey names 1 of the 2 fields of the parent's key",
    )
    for (const write of ['append', 'replace'])
      expect(into({ write, children: { lines: {} } })).toThrow(
        `children stores lists beside the rows of their records, which ${write} does not do. Leave it out, or use`,
      )
  })
})
