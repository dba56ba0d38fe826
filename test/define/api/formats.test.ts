import { expect, test } from '@jest/globals'
import {
  csv,
  describePipeline,
  fromData,
  fromIncluded,
  fromLists,
  fromMembers,
  fromResources,
  fromRows,
  http,
  json,
  ndjson,
  onePage,
  pipeline,
  toData,
  xml,
  zip,
  type Format,
} from '../../../src/index.ts'

const api = http('https://api.example')
const listing = () => api.get<{ a: string }[]>('/x').pages(onePage()).records()
const wrong = (value: unknown): never => value as never

test.each<[() => unknown, string]>([
  [() => csv({ delimiter: '' }), 'csv(): delimiter is the text between two fields, not ""'],
  [() => csv({ delimiter: '\n' }), 'csv(): delimiter is the text between two fields, not "\\n"'],
  [() => csv({ quote: '""' }), 'csv(): quote is one character, or false, not "\\"\\""'],
  [() => csv({ delimiter: '"' }), 'csv(): quote and delimiter are the same'],
  [() => csv({ columns: [] }), 'csv(): columns must be a list of names'],
  [() => csv({ columns: ['a', 'a'] }), 'csv(): columns: "a" stands twice'],
  [() => csv(wrong({ separator: ';' })), 'csv(): there is no option "separator". It has delimiter, quote'],
  [() => csv({ encoding: 'klingon' }), 'csv(): "klingon" is no known encoding'],
  [() => ndjson({ encoding: 'klingon' }), 'ndjson(): "klingon" is no known encoding'],
  [() => json(wrong({ path: 'a' })), 'json(): there is no option "path". It has encoding'],
  [() => xml({ lists: wrong('a') }), 'xml(): lists must be a list of names'],
  [() => zip({ member: '' }), 'zip(): member is a name'],
  [() => zip({ format: wrong(zip()) }), 'zip(): format is that of a member, not zip()'],
  [() => zip({ format: wrong('csv') }), 'zip(): format must be a format'],
  [() => api.get('/x', {}, { format: wrong('csv') }), 'GET https://api.example/x: format must be a format'],
  [() => fromRows('a', { header: [] }), 'fromRows(): header is the path of the names'],
  [() => fromRows(wrong(1)), 'fromRows(): give the path in the body'],
  [() => fromMembers('a', { key: '' }), 'fromMembers(): key and value are names of fields'],
  [() => fromMembers('a', { key: 'value' }), 'fromMembers(): key and value must be different fields'],
  [() => fromLists(''), "fromLists(): give the path of the lists, as in fromLists('batches.orders')"],
  [() => listing().download(''), '.download(): give the path of the URL in the record'],
  [() => listing().download('a', { format: wrong('csv') }), '.download(): format must be a format'],
  [() => listing().download('a', { concurrency: 0 }), '.download(): concurrency must be a whole number from 1'],
  [() => fromIncluded(''), 'fromIncluded(): give the type of the resources'],
])('%s is refused', (make, message) => {
  expect(make).toThrow(message)
})

test.each<[Format, string]>([
  [csv({ delimiter: ';', columns: ['id', 'n'] }), 'format   csv, delimiter ";", columns ["id","n"]'],
  [xml({ lists: ['tag'] }), 'format   xml, lists ["tag"]'],
  [
    zip({ member: '*.csv', format: csv({ encoding: 'latin1' }) }),
    'format   zip, member "*.csv", csv, encoding "latin1"',
  ],
])('a format is described, and is data', (format, line) => {
  const rows = api.get<{ id: string }[]>('/x', {}, { format }).pages(onePage()).records()
  const made = pipeline('files', { streams: { rows: rows.into('files.rows', { key: 'id' }) } })
  expect(describePipeline(made)).toContain(`    ${line}\n`)
  const again = fromData(JSON.parse(JSON.stringify(toData(made))) as ReturnType<typeof toData>)
  expect(describePipeline(again)).toBe(describePipeline(made))
})

test.each([
  [fromRows('values'), 'records  rows of values, named by the first one'],
  [fromRows('', { header: 'names' }), 'records  rows of the body itself, named by names'],
  [fromMembers('items', { key: 'sku' }), 'records  members of items, their names as sku'],
  [fromLists('batches.orders'), 'records  all lists at batches.orders'],
  [fromResources(), 'records  JSON:API resources of data'],
  [fromIncluded('people'), 'records  JSON:API resources of type people in included'],
])('a shape of records is described, and is data', (shape, line) => {
  const rows = api.get<unknown>('/x').pages(onePage()).records(shape)
  const made = pipeline('files', { streams: { rows: rows.into('files.rows', { write: 'append' }) } })
  expect(describePipeline(made)).toContain(`    ${line}\n`)
  const again = fromData(JSON.parse(JSON.stringify(toData(made))) as ReturnType<typeof toData>)
  expect(describePipeline(again)).toBe(describePipeline(made))
})
