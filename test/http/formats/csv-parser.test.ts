import { createRequire } from 'node:module'
import { promisify } from 'node:util'
import { describe, expect, test } from '@jest/globals'
import { parse } from 'csv-parse/sync'
import { CsvParser } from '../../../src/http/formats/csv-parser.ts'
import { UnreadableRecord } from '../../../src/model/unreadable-record.ts'
import { cutAnywhere, randomOf } from './random.ts'
import { readAll } from './read-all.ts'

type Options = ConstructorParameters<typeof CsvParser>[0]

const recordsOf = async (text: string | Buffer, options?: Options): Promise<unknown[]> =>
  (await readAll(new CsvParser(options), [Buffer.from(text)])).records

/** Each record as plain data; one that could not be read by its reason. */
const shown = (records: readonly unknown[]): unknown[] =>
  records.map((record) => (record instanceof UnreadableRecord ? record.reason : record))

interface Example {
  readonly name: string
  readonly csv: Buffer
  readonly json: Buffer
}

test('every file of csv-spectrum is read as its JSON says', async () => {
  const spectrum = createRequire(import.meta.url)('csv-spectrum') as (
    done: (error: Error | null, examples: Example[]) => void,
  ) => void
  const examples = await promisify(spectrum)()
  expect(examples.length).toBeGreaterThanOrEqual(12)
  // The JSON of that one is of another number of the phone, and no list.
  for (const { name, csv, json } of examples.filter(({ name }) => name !== 'location_coordinates'))
    expect({ name, records: await recordsOf(csv) }).toEqual({ name, records: JSON.parse(json.toString()) as unknown })
})

describe('rows that are written at random are read as they were', () => {
  const FIELDS = ['', 'a', 'ü€😀', 'x,y', 'say "hi"', 'two\nlines', 'two\r\nlines', ' spaced ', '"', ';', '1.50', "'"]
  test.each(Array.from({ length: 60 }, (_, seed) => seed))('seed %i', async (seed) => {
    const random = randomOf(seed)
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!
    const delimiter = pick([',', ';', '\t', '|', '::', '§'])
    const lineEnd = pick(['\n', '\r\n'])
    const columns = Array.from({ length: 2 + Math.floor(random() * 4) }, (_, index) => `c${index}`)
    const rows = Array.from({ length: Math.floor(random() * 12) }, () => columns.map(() => pick(FIELDS)))
    const written = (field: string): string =>
      field.includes(delimiter) || /["\r\n]/.test(field) || random() < 0.3 ? `"${field.replaceAll('"', '""')}"` : field
    const lines = [columns, ...rows].map((row) => row.map(written).join(delimiter))
    const text = lines.join(lineEnd) + pick(['', lineEnd])
    const parts = cutAnywhere(Buffer.from(text), random)
    const { records, digest } = await readAll(new CsvParser({ delimiter }), parts)
    const recordOf = (row: readonly string[]): unknown =>
      Object.fromEntries(row.map((field, index) => [columns[index]!, field] as const))
    expect(records).toEqual(rows.map(recordOf))
    const whole = await readAll(new CsvParser({ delimiter }), [Buffer.from(text)])
    expect(whole.digest).toBe(digest)
    // Another reader of the same text agrees.
    expect(parse(text, { delimiter, columns: true, skip_empty_lines: true })).toEqual(records)
  })
})

test('a row with another number of fields is a reject with its line, and so is a stray quote', async () => {
  expect(shown(await recordsOf('a,b\n1,2\n3\n4,5,6\n\n"x\ny",z\n7,8\n"q"x,1\n9,0\n'))).toEqual([
    { a: '1', b: '2' },
    'line 3 has 1 field where 2 are expected',
    'line 4 has 3 fields where 2 are expected',
    { a: 'x\ny', b: 'z' },
    { a: '7', b: '8' },
    'line 9: a character follows the closing quote of a field',
    { a: '9', b: '0' },
  ])
})

test('a quote inside a field that does not begin with one is a character', async () => {
  expect(await recordsOf('size,name\n5",pipe\n')).toEqual([{ size: '5"', name: 'pipe' }])
})

test('without quotes, a quote is a character, and a newline always ends the row', async () => {
  expect(await recordsOf('a\tb\n"1\t2"\n', { delimiter: '\t', quote: false })).toEqual([{ a: '"1', b: '2"' }])
})

test('names may be given for a body without a header', async () => {
  expect(await recordsOf('1,2\n', { columns: ['id', 'n'] })).toEqual([{ id: '1', n: '2' }])
})

test('names are trimmed, and an empty one is numbered', async () => {
  expect(await recordsOf(' id ,,x\n1,2,3\n')).toEqual([{ id: '1', column_2: '2', x: '3' }])
})

test.each([
  ['latin1', Buffer.from('n;s\nM\u00fcller;\u00a35\n', 'latin1'), [{ n: 'Müller', s: '£5' }]],
  ['utf-16le', Buffer.from('n;s\nMüller;€5\n', 'utf16le'), [{ n: 'Müller', s: '€5' }]],
])('a body in %s is read', async (encoding, bytes, records) => {
  const parts = Array.from(bytes, (byte) => Buffer.from([byte]))
  expect((await readAll(new CsvParser({ delimiter: ';', encoding }), parts)).records).toEqual(records)
})

test('a byte order mark decides the encoding, and is no part of the first name', async () => {
  const utf16 = Buffer.from('\ufeffn,s\nMüller,1\n', 'utf16le')
  expect(await recordsOf(utf16)).toEqual([{ n: 'Müller', s: '1' }])
  expect(await recordsOf('\ufeffn,s\nMüller,1\n')).toEqual([{ n: 'Müller', s: '1' }])
})

test('a byte that is not UTF-8 concerns its own field only', async () => {
  const bytes = Buffer.concat([Buffer.from('a,b\n1,x'), Buffer.from([0xff]), Buffer.from('\n2,ü\n')])
  expect(await recordsOf(bytes)).toEqual([
    { a: '1', b: 'x\udcff' },
    { a: '2', b: 'ü' },
  ])
})

test.each([
  ['a,b\n1,"2\n3,4\n', 'CSV whose quote, opened in line 2 or later, is never closed'],
  ['a;b\n1;2\n', 'a header of one column, "a;b"; say what separates the fields, as in csv({ delimiter: ";" })'],
  ['a,b,a\n', 'a header that has "a" twice'],
])('%j fails as a whole', async (text, message) => {
  await expect(recordsOf(text)).rejects.toThrow(message)
})
