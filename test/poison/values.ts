// Values that go wrong elsewhere, each as the text of its JSON. A lone half of a surrogate pair from U+DC80 to U+DCFF
// that is not escaped stands for a byte that is not UTF-8, see `bytesOf`.
import { Random } from '../moving/random.ts'

/** Random choices of one round. */
export class Draw extends Random {
  /** All bodies are JSON: no NaN, no byte that is not UTF-8. */
  readonly isJson: boolean

  constructor(seed: number) {
    super(seed)
    this.isJson = this.chance(0.5)
  }
}

/** What most values of a field are. */
export const SORTS = ['number', 'time', 'text', 'boolean', 'nested', 'any'] as const
export type Sort = (typeof SORTS)[number]

const NUMBERS = [
  ['0', '-0', '-0.0', '1', '-1', '1.0', '1.50', '0.1', '0.30000000000000004', '1e0', '1E5', '1e21', '1e22', '10e-1'],
  ['123456789012345680000', '9007199254740991', '9007199254740992', '9007199254740993', '-9007199254740993'],
  ['9223372036854775807', '9223372036854775808', '-9223372036854775808', '-9223372036854775809'],
  ['18446744073709551615', '2147483648', '1e400', '-1e400', '1e-400', '5e-324', '4.9e-324', '2.2250738585072011e-308'],
  ['1.7976931348623157e308', '1.7976931348623159e308', '1e-7', '0.1e-6', '3.0e2', '1.0000000000000000000000000001'],
].flat()
/** At the limits of numeric. They have up to 131,072 digits. */
const HUGE_NUMBERS = ['1e131071', '1e131072', '1e200000', '1e-16383', '1e-16384', '1e-20000', '1e999999999']

const TIMES = [
  ['2024-02-29', '2023-02-29', '2024-02-30', '2024-13-01', '2024-00-10', '0000-01-01', '0001-01-01', '9999-12-31'],
  ['10000-01-01', '-0001-01-01', '+12024-01-01', '0044-03-15 BC', '2024-01-01 BC', '294276-12-31', '5874897-12-31'],
  ['294277-01-01T00:00:00Z', '2016-12-31T23:59:60Z', '2016-12-31T23:59:61Z', '2024-01-01T24:00:00Z'],
  ['2024-01-01T00:00:00Z', '2024-01-01T00:00:00z', '2024-01-01t00:00:00Z', '2024-01-01T00:00:00+00:00'],
  ['2024-01-01T00:00:00-00:00', '2024-01-01T00:00:00+14:00', '2024-01-01T00:00:00+15:59'],
  ['2024-01-01T00:00:00+16:00', '2024-01-01T00:00:00-15:59', '2024-01-01T00:00:00+0530', '2024-01-01T00:00:00+05'],
  ['2024-01-01T00:00:00.123456Z', '2024-01-01T00:00:00.1234567Z', '2024-01-01T00:00:00.123456789Z'],
  ['2024-01-01T00:00:00.100Z', '2024-01-01T00:00:00.1234560000Z', '2024-01-01T00:00:00,5Z', '2024-01-01 00:00:00Z'],
  ['2024-01-01T00:00:00', '2024-01-01 00:00:00', '2024-01-01T00:00', '2024-01-01T00:00:00 Europe/Berlin'],
  ['0000-01-01T00:00:00Z', '0001-01-01T00:00:00+15:00', '9999-12-31T23:59:59-15:00', '1969-12-31T23:59:59.999999Z'],
  ['infinity', '-infinity', 'now', 'today', 'epoch', 'allballs', '2024-W01-1', '20240101', '01/02/2024'],
  ['Mon, 01 Jan 2024 00:00:00 GMT', '1704067200', '2024-01-01T00:00:00[Europe/Berlin]', '2024-01-01T25:00:00Z'],
]
  .flat()
  .map((text) => `"${text}"`)

const TEXTS = [
  ['', ' ', 'NULL', 'null', String.raw`\\N`, String.raw`\\.`, 'true', 'false', 't', 'NaN', 'Infinity', 'undefined'],
  ['0x10', '1e5', '007', '-0', '-0.0', '+1', '1.', '.5', '1_000', '１２', '12', '1.50', '9223372036854775808'],
  [String.raw`\\xdeadbeef`, String.raw`\\x`, String.raw`\\xDEADBEEF`, String.raw`\\x0g`, '{}', '[]', '{1,2}'],
  [
    String.raw`{\"a\":1}`,
    "'; drop table x; --",
    '__proto__',
    String.raw`\ufeff`,
    '\ufeffa',
    'a\u202eb',
    '\u2066a\u2069',
  ],
  ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}', '\u2028\u2029', '\ufffd'],
]
  .flat()
  .map((text) => `"${text}"`)

/** Parts of texts, as JSON writes them. */
const PIECES = [
  ['a', 'B', ' ', "'", '%', '$1', '{', '}', ',', '--', ';', '/', String.raw`\/`, String.raw`\\`, String.raw`\"`],
  [String.raw`\n`, String.raw`\t`, String.raw`\r`, String.raw`\b`, String.raw`\f`, String.raw`\u0001`, '\u007f'],
  ['é', 'e\u0301', 'ß', 'İ', '漢', '😀', String.raw`\ud83d\ude00`, String.raw`\u00e9`, '\ufeff', '\u202e', '\u200f'],
  ['\u2028', '\ufffd', String.raw`\ufffd`, '\uffff', '\u{10ffff}', '\u0301', String.raw`\\u0000`, String.raw`\\N`],
].flat()

/** No column can hold them as they are. */
const REFUSED = [
  [String.raw`"a\u0000b"`, String.raw`"\ud800"`, String.raw`"\udfff\ud800"`, String.raw`"a\ud83d"`],
  [String.raw`{"a":"\u0000"}`, String.raw`{"\u0000":1}`, String.raw`["\udc00"]`],
].flat()
/** A body with one of them is no JSON. */
const NO_JSON = [
  'NaN',
  'Infinity',
  '-Infinity',
  '"b\udcff"',
  '"b\udc80c"',
  '"\udce9n"',
  '{"a":[NaN]}',
  '{"a":"b\udcff"}',
]

const NESTED = [
  ['{}', '[]', '[[]]', '[{}]', '[null]', '{"":null}', '{"a":null}', '{"__proto__":1}', '{"__proto__":{"x":1}}'],
  ['{"constructor":{"prototype":{}}}', '{"toJSON":1}', '{"a":1,"a":2}', '{"a":{"b":1,"b":{"c":2}},"a":{"b":3}}'],
  ['{"toString":null,"valueOf":"x","length":3}', '{"not JSON":"x"}', '{"1":1,"0":2}', '[1,1.0,1.00,1e0,-0]'],
  ['[9007199254740993,1.10,0.1000000000000000055]', '{"__proto__":1,"__proto__":2}', '[true,"true",1,"1"]'],
  ['{"end":true}', '{"a":1e400,"b":-1e-400}', '{"a b":{"a b":[]},"a\u202eb":"\u202e"}'],
].flat()

/** Levels of nested lists and objects. A body with more than 1,000 levels can fail the stream. */
const DEPTHS = [5, 50, 501, 900]

/** Returns a value for a field, mostly of its sort. */
export function valueText(random: Draw, sort: Sort): string {
  if (random.chance(0.003)) return random.pick(random.isJson || random.chance(0.5) ? REFUSED : NO_JSON)
  if (random.chance(0.05)) return 'null'
  const chosen = sort === 'any' || random.chance(0.02) ? random.pick(SORTS) : sort
  switch (chosen) {
    case 'number':
      return numberText(random)
    case 'time':
      return random.chance(0.5) ? random.pick(TIMES) : momentText(random)
    case 'boolean':
      return random.chance(0.98) ? String(random.chance(0.5)) : random.pick(['"true"', '"false"', '0', '1', '"t"'])
    case 'nested':
      return nestedText(random)
    case 'text':
    case 'any':
      return textText(random)
  }
}

function numberText(random: Draw): string {
  if (random.chance(0.4)) return random.pick(NUMBERS)
  if (random.chance(0.000_3)) return random.pick(HUGE_NUMBERS)
  const sign = random.chance(0.3) ? '-' : ''
  if (random.chance(0.5)) return `${sign}${digits(random, random.between(1, 20))}`
  const size = random.chance(0.01) ? 1_000 : 12
  return `${sign}${digits(random, random.between(1, size))}.${digits(random, random.between(1, size))}`
}

/** Returns an integer without a leading zero. */
export const digits = (random: Draw, count: number): string =>
  Array.from({ length: count }, (_, index) => random.between(index === 0 ? 1 : 0, 9)).join('')

function momentText(random: Draw): string {
  const two = (least: number, most: number): string => String(random.between(least, most)).padStart(2, '0')
  const day = `${random.between(1, 9_999)}`.padStart(4, '0')
  const fraction = random.chance(0.5) ? '' : `.${digits(random, random.between(1, 6))}`
  const zone = random.pick(['Z', 'Z', 'Z', '+02:00', '-11:30', '+0545'])
  return `"${day}-${two(1, 12)}-${two(1, 28)}T${two(0, 23)}:${two(0, 59)}:${two(0, 59)}${fraction}${zone}"`
}

function textText(random: Draw): string {
  if (random.chance(0.2)) return random.pick(TEXTS)
  if (random.chance(0.000_2)) return `"${piecesText(random, 30).repeat(random.pick([100, 3_000, 30_000]))}"`
  return `"${piecesText(random, random.between(0, 12))}"`
}

/** Returns random parts of a text, without the quotes around them. */
export const piecesText = (random: Draw, count: number): string =>
  Array.from({ length: count }, () => random.pick(PIECES)).join('')

function nestedText(random: Draw, level = 0): string {
  if (random.chance(0.3)) return random.pick(NESTED)
  if (random.chance(0.001)) return deepText(random)
  const inner = (): string =>
    level < 3 && random.chance(0.3)
      ? nestedText(random, level + 1)
      : valueText(random, random.pick(['number', 'time', 'text', 'boolean']))
  if (random.chance(0.4)) return `[${Array.from({ length: random.between(0, 4) }, inner).join(', ')}]`
  const members = Array.from(
    { length: random.between(0, 4) },
    () => `${random.chance(0.5) ? `"${random.pick(['a', 'b', '__proto__', 'é'])}"` : textText(random)}: ${inner()}`,
  )
  return `{${members.join(',')}}`
}

function deepText(random: Draw): string {
  const depth = random.pick(DEPTHS)
  return random.chance(0.5)
    ? `${'['.repeat(depth)}1${']'.repeat(depth)}`
    : `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`
}

/** Writes a text as UTF-8, with the bytes for which single halves of surrogate pairs stand. */
export function bytesOf(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text)
  const parts: Buffer[] = []
  let from = 0
  for (const match of text.matchAll(/[\udc80-\udcff]/gu)) {
    parts.push(Buffer.from(text.slice(from, match.index)), Buffer.from([text.charCodeAt(match.index) - 0xdc00]))
    from = match.index + 1
  }
  return Buffer.concat([...parts, Buffer.from(text.slice(from))])
}
