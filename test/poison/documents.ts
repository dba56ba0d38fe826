// Plans a table by seed, and makes the documents that are written to it, as texts of JSON.
import type { Value } from './read-json.ts'
import { digits, piecesText, SORTS, valueText, type Draw, type Sort } from './values.ts'

export const MODES = [
  'append',
  'append by key',
  'merge',
  'replace',
  'replace by key',
  'mirror',
  'history',
  'history mirror',
  'nested',
] as const
export type Mode = (typeof MODES)[number]

/** True if a reading deletes, or ends, the rows of documents that are gone. */
export const isMirror = (mode: Mode): boolean => mode === 'mirror' || mode === 'history mirror'

export interface Field {
  readonly name: string
  readonly sort: Sort
}

/** A table and what is written to it. */
export interface Plan {
  readonly mode: Mode
  readonly fields: readonly Field[]
  /** What the keys are. `none`: the table has no key. */
  readonly key: 'none' | 'small' | 'beyond 2^53' | 'decimal' | 'text' | 'mixed'
  /** Declared types, by field. */
  readonly declared: Readonly<Record<string, string>>
  /** The text '' is null in columns outside the key. */
  readonly readsEmptyAsNull: boolean
  /** Two fields have one column, which fails the stream. */
  readonly hasClash: boolean
}

/** A document as it was sent, and as it is read by itself. */
export interface Document {
  readonly text: string
  readonly members: ReadonlyMap<string, Value>
}

const LONG = 'x'.repeat(64)
/** Names of fields. Those of one list would have one column. */
const NAMES: readonly (readonly string[])[] = [
  [['amount'], ['userName', 'user_name', 'User Name'], ['select'], ['order'], ['a"b', "a'b", 'a.b', String.raw`a\b`]],
  [['', ' ', '😀'], ['__proto__'], ['constructor'], ['toString', 'to_string'], ['hasOwnProperty'], ['valueOf']],
  [['prototype'], ['toJSON'], ['length'], ['then'], ['ctid'], ['xmin'], ['é', 'e\u0301'], ['漢字'], ['$1'], ['1st']],
  [['x'.repeat(63)], [`${LONG}1`], [`${LONG}2`], ['ä'.repeat(40)], ['\ufeffbom'], ['\u202ebidi'], ['\0nul']],
  [['line\nbreak'], ['tab\there'], ['123'], ['null'], ['end'], ['İ'], ['ﬀ'], ['_slice_']],
].flat()

/** Declared columns, and texts of JSON that fit them. */
const DECLARED: Readonly<Record<string, readonly [type: string, fitting: readonly string[]]>> = {
  d_int: ['integer', ['1', '-2147483648', '"12"', '1e3']],
  d_num: ['numeric(12,2)', ['1.50', '9999999999.99', '"0.1"', '-0', '1e2']],
  d_float: ['double precision', ['1.5', '1e300', '5e-324', '-0', '0.1']],
  d_bool: ['boolean', ['true', 'false', '"true"', '"false"']],
  d_ts: [
    'timestamptz',
    ['"2024-01-01T00:00:00.123456+02:00"', '"0001-01-01T00:00:00Z"', '"9999-12-31T23:59:59-15:00"'],
  ],
  d_date: ['date', ['"2024-02-29"', '"0001-01-01"', '"2024-01-01T00:00:00Z"', '"2024-01-01T00:00:00.000Z"']],
  d_bytea: ['bytea', [String.raw`"\\xdeadbeef"`, String.raw`"\\x"`, String.raw`"\\xDEADBEEF"`]],
  d_uuid: ['uuid', ['"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"', '"A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"']],
  d_varchar: ['varchar(5)', ['"abcde"', '"😀😀😀😀😀"', '""', '"a"', '12345']],
  d_json: ['jsonb', ['{"a":1.10}', '[]', '"x"', '1e400', 'null', '{"__proto__":1}']],
  d_text: ['text', ['"x"', '1.10', 'true', '{"a":[1e400]}', '[]']],
}

const KEYS = ['small', 'small', 'beyond 2^53', 'decimal', 'text', 'mixed'] as const

export function planOf(mode: Mode, random: Draw): Plan {
  const groups = NAMES.filter(() => random.chance(0.25))
  const hasClash = mode !== 'nested' && random.chance(0.04)
  const clash = hasClash ? random.pick(NAMES.filter(({ length }) => length > 1)) : []
  const names = groups.filter((group) => group !== clash).map((group) => random.pick(group))
  const withoutKey = mode === 'append' || mode === 'replace'
  return {
    mode,
    fields: [...names, ...clash.slice(0, 2)].map((name) => ({ name, sort: random.pick(SORTS) })),
    key: withoutKey ? 'none' : keyOf(mode, random),
    declared: Object.fromEntries(
      Object.entries(DECLARED)
        .filter(() => random.chance(0.2))
        .map(([field, [type]]) => [field, type]),
    ),
    readsEmptyAsNull: random.chance(0.2),
    hasClash,
  }
}

/** The rows of nested lists are found by the number of their record, so that is its key. */
const keyOf = (mode: Mode, random: Draw): Plan['key'] => (mode === 'nested' ? 'small' : random.pick(KEYS))

/** Returns the text of the key of a document, or undefined if it has none. It stays the same in all its versions. */
export function keyText({ key, mode }: Plan, n: number, random: Draw): string | undefined {
  switch (key) {
    case 'none':
      return undefined
    case 'small':
      return String(n)
    case 'beyond 2^53':
      return String((9_007_199_254_740_993n + BigInt(n)) * (n % 3 === 0 ? -1n : 1n))
    case 'decimal':
      return `${n}.${digits(random, 25)}`
    case 'mixed':
      return random.pick([String(n), `${n}.50`, `"k${n}"`, `${n}${digits(random, 30)}`, `${n}e25`, `${n}e-9`])
    case 'text':
      // A mirror deletes nothing if it cannot know which row a rejected record has.
      if (!isMirror(mode) && random.chance(0.003)) return random.pick(['null', undefined])
      if (random.chance(0.003)) return random.pick([`"k${n}${digits(random, 6_000)}"`, String.raw`"k${n}\u0000"`])
      return `"k${n} ${piecesText(random, random.between(0, 8))}"`
  }
}

/** Returns the text of a document. */
export function documentText(plan: Plan, n: number, key: string | undefined, random: Draw): string {
  const members = [`"n":${n}`, ...(key === undefined ? [] : [`"id":${key}`])]
  for (const { name, sort } of plan.fields) {
    if (random.chance(0.1)) continue
    const written = nameText(name, random)
    // Of equal names, the last one counts.
    if (random.chance(0.005)) members.push(`${written}:${valueText(random, 'any')}`)
    members.push(`${written}:${valueText(random, sort)}`)
  }
  for (const field of Object.keys(plan.declared))
    if (random.chance(0.7))
      members.push(`"${field}":${random.chance(0.97) ? random.pick(DECLARED[field]![1]) : valueText(random, 'any')}`)
  if (plan.mode === 'nested') members.push(...nestedMembers(random))
  // No column can have such a name.
  if (random.chance(0.001)) members.push(random.isJson ? String.raw`"\ud800x":1` : '"bad\udcff":1')
  const space = random.chance(0.1) ? random.pick([' ', '\n', '\r\n\t']) : ''
  return `{${space}${members.join(`,${space}`)}${space}}`
}

const nameText = (name: string, random: Draw): string =>
  random.chance(0.9)
    ? JSON.stringify(name)
    : `"${Array.from({ length: name.length }, (_, at) => escaped(name.charCodeAt(at))).join('')}"`

const escaped = (code: number): string => String.raw`\u${code.toString(16).padStart(4, '0')}`

/** An object that is flattened, and two lists with tables of their own. */
function nestedMembers(random: Draw): string[] {
  const object = (names: readonly string[]): string =>
    `{${names
      .filter(() => random.chance(0.6))
      .map((name) => `"${name}":${valueText(random, SORTS[name.length % SORTS.length]!)}`)
      .join(',')}}`
  const list = (entry: (at: number) => string): string =>
    `[${Array.from({ length: random.between(0, 4) }, (_, at) => entry(at)).join(',')}]`
  const address = random.chance(0.9)
    ? object(['city', 'Zip code', '__proto__', 'constructor', 'geo'])
    : random.pick(['"x"', '1.50', 'null', '[1]', 'true', '"2024-01-01"'])
  const line = (): string =>
    random.chance(0.7) ? object(['a', 'qty', '__proto__', 'toString']) : valueText(random, 'number')
  const item = (at: number): string =>
    `{"k":${random.chance(0.999) ? at : 'null'},"v":${valueText(random, 'text')},"w":${valueText(random, 'any')}}`
  const lines = random.chance(0.99)
    ? random.pick([list(line), list(line), list(line), 'null', object(['a', 'qty'])])
    : '"x"'
  return [
    ...(random.chance(0.9) ? [`"address":${address}`] : []),
    ...(random.chance(0.9) ? [`"lines":${lines}`] : []),
    ...(random.chance(0.9) ? [`"items":${list(item)}`] : []),
  ]
}
