import { describe, expect, test } from '@jest/globals'
import { streamSentences } from '../../src/define/describe-sentence.ts'
import { describePipeline, pipeline, source } from '../../src/index.ts'

interface Row {
  id: string
  at: string
}
const rows = source<Row>(async function* () {
  yield { records: [] }
})
const followed = rows.incremental('at')

/** Passes a value that JavaScript may write and the compiler refuses. */
const any = (value: unknown): never => value as never

describe('the definition of a history', () => {
  test("has the cursor's field as its version, and says so", () => {
    const { table } = followed.into('a.b', { key: 'id', write: 'history' })
    expect(table).toMatchObject({ write: 'history', versionBy: 'at', isVersionOptional: true })
    const named = pipeline('p', { streams: { b: rows.into('a.b', { key: 'id', write: 'history', versionBy: 'at' }) } })
    expect(describePipeline(named)).toContain('b -> a.b (history on id; a version for each at)')
    expect(streamSentences(named)['b']).toContain('keeps the history of a.b by id')
  })

  test.each<[string, object, string]>([
    [
      'has no key',
      {},
      '.into("a.b"): a history needs the key of a row, such as { key: \'id\' }: its versions have one key',
    ],
    [
      'has a version that is declared as no time',
      { key: 'id', versionBy: 'at', columns: { at: 'bigint' } },
      'versionBy is the time from which a version of a history is valid, and columns declares it as bigint. ' +
        "Declare a time, such as 'timestamptz', or time('unix') for seconds since 1970",
    ],
  ])('is refused if it %s', (_, options, message) => {
    expect(() => rows.into('a.b', any({ write: 'history', ...options }))).toThrow(message)
  })

  test('is refused if the name of its view would be cut', () => {
    const name = `a.${'x'.repeat(56)}`
    expect(() => rows.into(any(name), { key: 'id', write: 'history' })).toThrow('at most 63 bytes. Shorten the name')
    expect(rows.into(any(name.slice(0, -1)), { key: 'id', write: 'history' }).table.write).toBe('history')
  })

  test('is refused beside a stream that writes to the table in another mode', () => {
    const history = rows.into('a.b', { key: 'id', write: 'history' })
    expect(() => pipeline('p', { streams: { one: history, two: rows.into('a.b', { key: 'id' }) } })).toThrow(
      'one and two both write to a.b, and one of them keeps its history',
    )
    expect(Object.keys(pipeline('p', { streams: { one: history, two: history } }).streams)).toEqual(['one', 'two'])
  })
})
