import { describe, expect, test } from '@jest/globals'
import { XmlParser, type XmlParserOptions } from '../../../src/http/formats/xml-parser.ts'
import { cutAnywhere, randomOf } from './random.ts'
import { readAll, type Parsed } from './read-all.ts'

const read = async (body: string | Buffer, options: Partial<XmlParserOptions> = {}): Promise<Parsed> =>
  readAll(new XmlParser({ maxRecordBytes: 10_000, ...options }), [Buffer.from(body)])

test('attributes, children, lists and texts become members, the records in a list of their own', async () => {
  const { records, envelope } = await read(
    `<?xml version="1.0"?><!-- a comment --><feed n="1"><entry id="1">a &amp; b</entry>
     <entry id="2"><x>1</x><x>2</x><y/>text<z xsi:nil="true"/><![CDATA[<raw>]]></entry><next>u</next></feed>`,
    { records: 'feed.entry' },
  )
  expect(records).toEqual([
    { '@id': '1', '#text': 'a & b' },
    { '@id': '2', x: ['1', '2'], y: '', z: null, '#text': 'text<raw>' },
  ])
  expect(envelope).toEqual({ feed: { '@n': '1', next: 'u', entry: [] } })
})

test('an element that is named as a list is one, also alone, by its name or by its path', async () => {
  const body = '<a><b><tag>1</tag></b></a>'
  expect((await read(body, { lists: ['tag'] })).envelope).toEqual({ a: { b: { tag: ['1'] } } })
  expect((await read(body, { lists: ['a.b'] })).envelope).toEqual({ a: { b: [{ tag: '1' }] } })
})

test('a place of records without any is an empty list', async () => {
  for (const body of ['<feed/>', '<feed></feed>', '<feed>\n</feed>'])
    expect((await read(body, { records: 'feed.entry' })).envelope).toEqual({ feed: { entry: [] } })
})

test('names that JavaScript treats specially are ordinary members', async () => {
  const { envelope } = await read('<a><__proto__>1</__proto__><constructor>2</constructor></a>')
  const { a } = envelope as { a: object }
  expect(Object.entries(a)).toEqual([
    ['__proto__', '1'],
    ['constructor', '2'],
  ])
  expect(Object.getPrototypeOf(a)).toBe(Object.prototype)
})

describe('a document that is cut anywhere gives the same records', () => {
  const body = Buffer.from(
    `<?xml version="1.0" encoding="utf-8"?><list>${Array.from(
      { length: 20 },
      (_, n) => `<item id="${n}"><name>ü€😀 ${n}</name>${n % 3 === 0 ? '<tag>a</tag><tag>b</tag>' : ''}</item>\n`,
    ).join('')}</list>`,
  )
  test.each(Array.from({ length: 20 }, (_, seed) => seed))('seed %i', async (seed) => {
    const options = { maxRecordBytes: 1_000, records: 'list.item' }
    const whole = await readAll(new XmlParser(options), [body])
    expect(whole.records).toHaveLength(20)
    expect(await readAll(new XmlParser(options), cutAnywhere(body, randomOf(seed)))).toEqual(whole)
  })
})

test('the declaration or a byte order mark names the encoding', async () => {
  const latin = Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?><a>\u00fc</a>', 'latin1')
  expect((await read(latin)).envelope).toEqual({ a: 'ü' })
  expect((await read(Buffer.from('\ufeff<a>ü</a>', 'utf16le'))).envelope).toEqual({ a: 'ü' })
})

test.each([
  ['<a><b>1</a>', 'XML that is not valid in line 1: Unexpected close tag'],
  ['<a>', 'XML that ends inside <a>'],
  ['<a', 'XML'],
  ['', 'XML without an element'],
  ['<a/><b/>', 'XML with a second root, <b>, in line 1'],
  ['<a></a>x', 'XML that is not valid in line 1: Text data outside of root node.'],
  ['<!DOCTYPE a [<!ENTITY x "yyyy">]><a>&x;</a>', 'XML that is not valid in line 1: Invalid character entity'],
  [Buffer.from([0x3c, 0x61, 0x3e, 0xff, 0x3c, 0x2f, 0x61, 0x3e]), 'XML with bytes that are not utf-8'],
])('%s is no document', async (body, message) => {
  await expect(read(body)).rejects.toThrow(message)
})

test('a record beyond the limit, or too much beside the records, fails', async () => {
  const long = 'x'.repeat(2_000)
  const options = { maxRecordBytes: 1_000, records: 'a.b' }
  await expect(read(`<a><b>${long}</b></a>`, options)).rejects.toThrow('more than 1000 characters in one record')
  await expect(read(`<a><c>${long}</c></a>`, options)).rejects.toThrow("beside the records at 'a.b'")
  const many = `<a>${`<b>${'x'.repeat(500)}</b>`.repeat(50)}</a>`
  expect((await read(many, options)).records).toHaveLength(50)
})
