import { describe, expect, test } from '@jest/globals'
import { pipeline, source } from '../../src/index.ts'
import { describePipeline } from '../../src/define/describe.ts'

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
