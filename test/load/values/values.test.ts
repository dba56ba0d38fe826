import { describe, expect, test } from '@jest/globals'
import { compareDecimals, numericColumnText } from '../../../src/value/decimal-text.ts'
import { compareInstants, fractionDigits, parseInstant } from '../../../src/value/instant.ts'
import { Decimal } from '../../../src/value/decimal.ts'
import { testDatabase } from '../../support/database.ts'
import { balances, load, table } from '../support.ts'
import { encoded } from './encoded.ts'

/** The same numbers for the same seed. */
function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const pieces = [
  'a',
  'B',
  ' ',
  '\t',
  '\n',
  '\r',
  '\\',
  '\\N',
  '\\.',
  '"',
  "'",
  '\b',
  '\v',
  '\u0001',
  'é',
  '漢',
  '😀',
  '\u2028',
  '{',
  '}',
  ',',
  '%',
  '$1',
  '--',
  'x'.repeat(50),
]
const text = (next: (below: number) => number): string =>
  Array.from({ length: next(6) }, () => pieces[next(pieces.length)]).join('')
const digits = (next: (below: number) => number, most: number): string =>
  Array.from({ length: 1 + next(most) }, (_, index) => (index === 0 ? 1 + next(9) : next(10))).join('')

const scalars: readonly ((next: (below: number) => number) => unknown)[] = [
  (next) => text(next),
  (next) => text(next),
  (next) => next(1_000) - 500,
  (next) => (next(2_000_000) - 1_000_000) / 64,
  (next) => next(2 ** 31) * 2 ** next(60) * (next(2) ? 1 : -1),
  (next) => 2 ** -next(1000),
  (next) => BigInt(digits(next, 30)) * (next(2) ? 1n : -1n),
  (next) => new Decimal(`${next(2) ? '-' : ''}${digits(next, 20)}.${digits(next, 25)}`),
  (next) => new Decimal(`${digits(next, 5)}e${next(300) - 150}`),
  (next) => next(2) === 0,
  () => null,
  () => undefined,
  (next) => new Date(next(2 ** 31) * 1_000 + next(1_000)),
  (next) => `20${10 + next(80)}-0${1 + next(9)}-${10 + next(22)}`,
  (next) =>
    `20${10 + next(80)}-0${1 + next(9)}-${10 + next(22)}` +
    `T${10 + next(15)}:${10 + next(52)}:${10 + next(52)}${next(2) ? '' : `.${digits(next, 8)}`}` +
    ['Z', '+02:00', '-11:30', '', '+19:00'][next(5)]!,
  (next) => digits(next, 22),
  (next) => `a${next(2) ? '\0' : ''}${next(4) ? '' : '\uD800'}`,
  (next) => [NaN, Infinity, -Infinity, -0][next(4)],
]
const scalar = (next: (below: number) => number): unknown => scalars[next(scalars.length)]!(next)
function value(next: (below: number) => number, depth = 0): unknown {
  if (next(4) > 0 || depth > 3) return scalar(next)
  return next(2)
    ? Array.from({ length: next(4) }, () => value(next, depth + 1))
    : Object.fromEntries(Array.from({ length: next(4) }, () => [text(next), value(next, depth + 1)]))
}

const sameInstant = (a: string, b: string): boolean => compareInstants(parseInstant(a)!, parseInstant(b)!) === 0

/** Returns true if a stored value, as the text of its column, equals the value that was sent. */
function says(stored: string | null, type: string, sent: unknown): boolean {
  if (sent === null || sent === undefined) return stored === null
  if (stored === null) return false
  if (type === 'jsonb') {
    const found: unknown = JSON.parse(stored, exactly)
    // A column that was text before it became jsonb holds texts.
    return (
      jsonSays(found, sent) ||
      (typeof found === 'string' && typeof sent !== 'object' && says(found, 'text', sent)) ||
      (typeof found === 'string' && sent instanceof Decimal && says(found, 'text', sent))
    )
  }
  if (typeof sent === 'number' || typeof sent === 'bigint' || sent instanceof Decimal)
    return compareDecimals(stored, String(sent)) === 0
  if (type === 'timestamptz') return sameInstant(stored, sent instanceof Date ? sent.toISOString() : (sent as string))
  if (typeof sent === 'boolean') return stored === String(sent)
  const text = sent instanceof Date ? sent.toISOString() : (sent as string)
  // A column that was timestamptz before it became text holds its moments in UTC.
  return stored === text || (fractionDigits(text) >= 0 && stored.endsWith('Z') && sameInstant(stored, text))
}

const exactly = (_: string, value: unknown, context?: { source?: string }): unknown =>
  typeof value === 'number' ? new Decimal(context!.source!) : value

function jsonSays(stored: unknown, sent: unknown): boolean {
  if (sent === undefined || sent === null) return stored === null
  if (typeof sent === 'number' || typeof sent === 'bigint' || sent instanceof Decimal)
    return stored instanceof Decimal && compareDecimals(stored.text, String(sent)) === 0
  if (sent instanceof Date) return stored === sent.toISOString()
  if (Array.isArray(sent))
    return (
      Array.isArray(stored) &&
      stored.length === sent.length &&
      sent.every((item, index) => jsonSays(stored[index], item))
    )
  if (typeof sent === 'object') {
    const [one, other] = [
      stored as Record<string, unknown>,
      Object.entries(sent).filter(([, member]) => member !== undefined),
    ]
    return (
      typeof stored === 'object' &&
      stored !== null &&
      Object.keys(one).length === other.length &&
      other.every(([name, member]) => Object.hasOwn(one, name) && jsonSays(one[name], member))
    )
  }
  return stored === sent
}

describe('a stored value', () => {
  test.each([1, 2, 3, 4])('is what was sent, or was rejected and counted (seed %d)', async (seed) => {
    await using test = await testDatabase()
    const { database } = test
    const next = random(seed)
    const fields = ['one', 'two', 'three', 'four', 'five', 'six']
    // Each field begins with values of one sort, and then anything may come.
    const sorts = fields.map(() => scalars[next(scalars.length)]!)
    const records = Array.from({ length: 300 }, (_, id) =>
      Object.fromEntries([
        ['id', id],
        ...fields
          .filter(() => next(8) > 0)
          .map((field, index) => [field, id < 100 || index < 2 ? sorts[index]!(next) : value(next)] as const),
      ]),
    ) as Record<string, unknown>[]
    const { counts, rejects } = await load(database, table({ maxRejects: 1_000 }), records, { pageSize: 23 })
    expect(balances(counts)).toBe(true)
    expect(rejects.filter(({ stage }) => stage !== 'encode')).toEqual([])
    const types = new Map(
      (
        await database.query<{ name: string; type: string }>(
          `select attname as name, typname as type from pg_attribute join pg_type t on t.oid = atttypid
           where attrelid = 'shop.orders'::regclass and attnum > 0 and not attisdropped`,
        )
      ).map(({ name, type }) => [name, type]),
    )
    const columns = [...types].map(([name, type]) =>
      type === 'timestamptz'
        ? `to_char(${name} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as ${name}`
        : `${name}::text as ${name}`,
    )
    const order = types.get('id') === 'int8' ? 'orders.id' : 'orders.id::int'
    const rows = await database.query<Record<string, string | null>>(
      `select ${columns.join(', ')} from shop.orders order by ${order}`,
    )
    const rejected = new Set(rejects.map(({ record }) => record))
    const expected = records.filter((record) => !rejected.has(record))
    expect(rows.map(({ id }) => id)).toEqual(expected.map(({ id }) => String(id)))
    const wrong = rows.flatMap((row, index) =>
      fields
        .filter((field) => !says(row[field] ?? null, types.get(field) ?? '', expected[index]![field]))
        .map((field) => ({ field, type: types.get(field), stored: row[field], sent: expected[index]![field] })),
    )
    expect(wrong).toEqual([])
    // The generator makes hopeless values too, but most are fine.
    expect(counts.inserted).toBeGreaterThan(100)
  })

  test('is never rounded, cut or refused by its column, and the encoder accepts all such values', async () => {
    await using test = await testDatabase()
    const { database } = test
    const next = random(7)
    const numbers = (): string =>
      `${next(2) ? '-' : ''}${next(3) ? digits(next, 6) : '0'}` +
      (next(2) ? `.${'0'.repeat(next(3))}${digits(next, 5)}${'0'.repeat(next(3))}` : '')
    const times = (): string =>
      `${['2024-02-29', '2023-02-29', '1999-12-31', '2024-00-10', '0000-01-01', '0001-06-01'][next(6)]}T` +
      `${['00:00:00', '23:59:59', '24:00:00', '12:30:60'][next(4)]}` +
      `${['', '.5', '.1200', '.123456', '.1234567'][next(5)]}${['Z', '+05:30', '-15:59', '+16:00', ''][next(5)]}`
    const days = (): string =>
      ['2024-02-29', '2023-02-29', '2024-13-01', '2024-12-31', '24-01-01', '2024-1-1', 'today', '31.12.2024'][next(8)]!
    const sorts: readonly [string, () => string, number][] = [
      ['numeric(5,2)', numbers, 150],
      ['numeric(3,-2)', numbers, 150],
      ['numeric(2,4)', () => `0.00${next(1_000)}`, 60],
      ['numeric', numbers, 50],
      ['smallint', () => String(next(80_000) - 40_000), 50],
      ['integer', () => digits(next, 12), 50],
      ['bigint', () => digits(next, 22), 50],
      ['real', numbers, 150],
      ['real', () => `${digits(next, 3)}${'0'.repeat(next(45))}`, 50],
      ['double precision', numbers, 50],
      ['double precision', () => digits(next, 25), 60],
      ['varchar(3)', () => text(next), 120],
      ['timestamp with time zone', times, 150],
      ['timestamp(1) with time zone', times, 150],
      ['date', days, 30],
    ]
    for (const [type, make, count] of sorts) {
      // A string that says minus zero is no number that comes back as it was.
      const sent = Array.from({ length: count }, make).filter((one) => !/^-0(?:\.0*)?$/.test(one))
      const isTime = type.startsWith('timestamp')
      const read = isTime
        ? `to_char((v::${type}) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
        : `v::${type}::text`
      const rows = await database.query<{ v: string; stored: string | null }>(
        `select v, case when pg_input_is_valid(v, '${type}') then ${read} end as stored from unnest($1::text[]) v`,
        [sent],
      )
      const kept = ({ v, stored }: { v: string; stored: string | null }): boolean => {
        if (stored === null) return false
        if (isTime) return fractionDigits(v) >= 0 && sameInstant(stored, v)
        if (type === 'varchar(3)' || type === 'date') return stored === v
        return compareDecimals(stored, v) === 0
      }
      expect({ type, wrong: rows.filter((row) => kept(row) !== (encoded(row.v, type) !== undefined)) }).toEqual({
        type,
        wrong: [],
      })
      expect(rows.length).toBeGreaterThan(20)
    }
    const written = ['1e-9', '1.50e-9', '-1e25', '12.34e1', '1E400', '1.0e-400', '0e5', '12.5e0', '1e21', '123e-2', '5']
    const texts = await database.query<{ text: string }>(
      'select v::numeric::text as text from unnest($1::text[]) with ordinality as t (v, n) order by n',
      [written],
    )
    expect(texts.map((row) => row.text)).toEqual(written.map(numericColumnText))
  })
})
