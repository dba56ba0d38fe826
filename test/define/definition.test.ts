import { describe, expect, test } from '@jest/globals'
import {
  apiKey,
  basic,
  bearer,
  byCursor,
  byOffset,
  byPage,
  clientCredentials,
  http,
  path,
  pipeline,
  secret,
  source,
} from '../../src/index.ts'

interface Row {
  id: string
  at: string
  name: string | null
  n: number
}
const rows = source<Row>(async function* () {
  yield { records: [] }
})
const api = http('https://api.example/v1')
const followed = rows.incremental('at', { lookback: '5m' })

/** Passes a value that JavaScript may write and the compiler refuses. */
const any = (value: unknown): never => value as never

describe('a wrong definition is refused before any request, with its location, the problem and the remedy:', () => {
  test.each<[string, () => unknown, string]>([
    [
      'a table without its schema',
      () => rows.into(any('rows'), { key: 'id' }),
      `.into("rows"): name the table with its schema, as in 'billing.customers'`,
    ],
    ['three names', () => rows.into('a.b.c', { key: 'id' }), 'name the table with its schema'],
    ['a name that is too long', () => rows.into(`a.${'x'.repeat(64)}`, { key: 'id' }), 'at most 63 bytes'],
    [
      "the ledger's schema",
      () => rows.into('sluice.rows', { key: 'id' }),
      'the schema sluice is reserved for the ledger',
    ],
    ['merge without a key', () => rows.into('a.b', any({})), "merge needs the key of a row, such as { key: 'id' }"],
    ['merge with an empty key', () => rows.into('a.b', { key: [] }), 'merge needs the key of a row'],
    ['a field twice in the key', () => rows.into('a.b', { key: ['id', 'id'] }), 'the key names a field twice'],
    [
      'a write mode that does not exist',
      () => rows.into('a.b', any({ key: 'id', write: 'upsert' })),
      `write is 'merge', 'append', 'history' or 'replace', not "upsert"`,
    ],
    [
      'append without a key, with a lookback',
      () => followed.into('a.b', { write: 'append' }),
      'append without a key would store the records of the lookback again in every run',
    ],
    [
      'a key that was dropped',
      () => rows.omit('id').into('a.b', { key: any('id') }),
      "the key names 'id', which .omit() removes from the records",
    ],
    [
      'a key that was not picked',
      () => rows.pick('at').into('a.b', { key: any('id') }),
      'which .pick() removes from the records',
    ],
    [
      'a key that was renamed',
      () => rows.rename('id', 'uid').into('a.b', { key: any('id') }),
      'which .rename() removes',
    ],
    [
      'a key that is left out',
      () => rows.into('a.b', { key: 'id', columns: { id: false } }),
      "columns leaves out 'id', which the key needs",
    ],
    [
      'a version that is left out',
      () => rows.into('a.b', { key: 'id', versionBy: 'n', columns: { n: false } }),
      "columns leaves out 'n', which versionBy names",
    ],
    [
      'a version that was dropped',
      () => rows.omit('n').into('a.b', { key: 'id', versionBy: any('n') }),
      "versionBy names 'n', which .omit() removes",
    ],
    ['a version without a key', () => rows.into('a.b', { write: 'append', versionBy: 'n' }), 'give the key'],
    [
      'a column that is no type',
      () => rows.into('a.b', { key: 'id', columns: any({ n: 5 }) }),
      'columns.n is a type as text, false, or { type, round, emptyText, zone, time }',
    ],
    ...(
      [
        [{ type: '' }, "needs a type as text, as in { type: 'numeric(12,2)' }"],
        [{ round: true }, "needs a type as text, as in { type: 'numeric(12,2)' }"],
        [{ zone: 'Europe/Berlin' }, "needs a type as text, as in { type: 'timestamptz' }"],
        [{ emptyText: true }, "has emptyText true: it is 'null' or 'keep'"],
        [{ type: 'timestamptz', zone: '+02:00' }, 'has zone "+02:00", which is no time zone'],
        [{ type: 'timestamp', zone: 'UTC' }, 'has a zone, which only timestamptz has, but its type is timestamp'],
        [{ type: 'timestamptz[]', zone: 'UTC' }, 'has a zone, which only timestamptz has'],
      ] as const
    ).map(([column, message]): [string, () => unknown, string] => [
      `a column ${JSON.stringify(column)}`,
      () => rows.into('a.b', { key: 'id', columns: any({ n: column }) }),
      `columns.n ${message}`,
    ]),
    [
      "a key whose '' is null",
      () => rows.into('a.b', { key: 'id', columns: { id: { emptyText: 'null' } } }),
      "columns.id reads '' as null, but a key is never null",
    ],
    [
      'an unknown word for emptyText',
      () => rows.into('a.b', { key: 'id', emptyText: any(null) }),
      "emptyText is 'null' or 'keep', not null",
    ],
    [
      'an unknown word for columns',
      () => rows.into('a.b', { key: 'id', columns: any('ignore') }),
      `columns is 'evolve', 'freeze', 'reject' or declares some, not "ignore"`,
    ],
    [
      'two words for columns',
      () => rows.into('a.b', { key: 'id', columns: 'freeze', onSchemaChange: 'evolve' }),
      'leave one of them out',
    ],
    [
      'adopt as a text',
      () => rows.into('a.b', { key: 'id', adopt: any('yes') }),
      '.into("a.b"): adopt is true or false, not "yes"',
    ],
    [
      'maxRejects below 0',
      () => rows.into('a.b', { key: 'id', maxRejects: -1 }),
      'maxRejects must be a whole number from 0, not -1',
    ],
    [
      'resume in words',
      () => rows.into('a.b', { key: 'id', resumeWithin: any('1 day') }),
      `.into("a.b"): resumeWithin: "1 day" is no duration`,
    ],
    [
      'an unknown word for complete',
      () => rows.into('a.b', { key: 'id', complete: any(true) }),
      "complete is 'required' or 'any', not true",
    ],
    [
      'a second cursor',
      () => new (rows.constructor as new (recipe: unknown) => typeof rows)(followed.recipe).incremental('at'),
      '.incremental(): write it once',
    ],
    [
      'a lookback in words',
      () => rows.incremental('at', any({ lookback: '5 minutes' })),
      `.incremental("at"): lookback: "5 minutes" is no duration`,
    ],
    [
      'a lookback of numbers in a unit',
      () => rows.incremental('n', any({ unit: 's', lookback: 5 })),
      'with a unit, lookback is a duration',
    ],
    [
      'a negative lookback',
      () => rows.incremental('n', any({ lookback: -1 })),
      'lookback must be a number from 0, not -1',
    ],
    [
      'a beginning that is no date in a unit',
      () => rows.incremental('n', { unit: 's', startFrom: 'monday' }),
      "with a unit, startFrom is a date: write '2024-01-31'",
    ],
    ['a unit that does not exist', () => rows.incremental('n', any({ unit: 'm' })), "unit is 's' or 'ms'"],
    [
      'an order that does not exist',
      () => rows.incremental('n', any({ order: 'up' })),
      "order is 'ascending', 'descending' or 'any'",
    ],
    ['a stage without its function', () => rows.map(any(undefined)), '.map(): expected a function, not undefined'],
    ['a source without its function', () => source(any(null)), 'source(): expected a function, not null'],
    [
      'no records at once',
      () => rows.map((row) => row, { concurrency: 0 }),
      '.map(): concurrency must be a whole number from 1, not 0',
    ],
    ['a schema that is none', () => rows.validate(any({})), 'not a Standard Schema'],
    ['a module by its name', () => rows.offload(any('./score.ts')), '.offload(): give the module as new URL'],
    ['nothing to compare by', () => rows.dedupe(), '.dedupe(): name the fields'],
    ['a base that is no URL', () => http('api.example'), `http("api.example"): this is not a URL`],
    ['a base with a query', () => http('https://api.example?key=1'), 'a base has no query'],
    [
      'a rate without its unit',
      () => http('https://api.example', { rate: any('10') }),
      `rate: "10" is not a rate: write it like '10/s'`,
    ],
    [
      'a timeout in words',
      () => http('https://api.example', { timeout: any('long') }),
      'timeout: "long" is no duration',
    ],
    [
      'a page size without its unit',
      () => http('https://api.example', { maxPageSize: any('64') }),
      'maxPageSize: "64" is no size',
    ],
    ['no tries', () => http('https://api.example', { attempts: 0 }), 'attempts must be a whole number from 1, not 0'],
    [
      'an origin that is none',
      () => http('https://api.example', { allowedOrigins: ['files'] }),
      '"files" in allowedOrigins is not an origin',
    ],
    ['a path without its slash', () => api.get(any('customers')), 'the path "customers" must begin with a slash'],
    ['a template without its slash', () => api.get(path`customers/${1}`), 'must begin with a slash'],
    ['no parameter', () => byPage(''), 'byPage(): a name is missing'],
    ['no place of the cursor', () => byCursor('after', any(undefined)), 'byCursor(): give the place of the next page'],
    [
      'a first page that is no number',
      () => byPage('page', { start: any('1') }),
      'byPage(): start must be a whole number from 0, not 1',
    ],
    [
      'a last offset below 0',
      () => byOffset('offset', { max: -1 }),
      'byOffset(): max must be a whole number from 0, not -1',
    ],
    ['a pipeline without a name', () => pipeline('', { streams: {} }), 'pipeline(""): a name consists of letters'],
    [
      'a schedule that is none',
      () => pipeline('p', { schedule: any('hourly'), streams: {} }),
      'the schedule "hourly" must have five fields',
    ],
    [
      'a stream with a dot in its name',
      () => pipeline('p', { streams: { 'a.b': rows.into('a.b', { key: 'id' }) } }),
      'the name of the stream "a.b" must consist of letters',
    ],
    [
      'a stream that lands nowhere',
      () => pipeline('p', { streams: any({ rows }) }),
      "the stream rows has no table. End its chain with .into('schema.table', …)",
    ],
    [
      'a table that is replaced by one stream and written by another',
      () =>
        pipeline('p', { streams: { a: rows.into('x.y', { key: 'id' }), b: rows.into('x.y', { write: 'replace' }) } }),
      'a and b both write to x.y',
    ],
  ])('%s', (_, define, message) => {
    expect(define).toThrow(expect.objectContaining({ code: 'USAGE', message: expect.stringContaining(message) }))
  })

  test.each<[string, () => unknown]>([
    ['bearer', () => bearer(any('s3cret-value'))],
    ['basic', () => basic('me', any('s3cret-value'))],
    ['apiKey in a header', () => apiKey(any('s3cret-value'), { header: 'x-key' })],
    ['apiKey', () => apiKey(any('s3cret-value'), { query: 'key' })],
    ['secret', () => secret('s3cret-value!')],
    [
      'clientCredentials',
      () => clientCredentials({ tokenUrl: '/token', clientId: 'me', clientSecret: any('s3cret-value') }),
    ],
    ['http', () => http('https://me:s3cret-value@api.example')],
  ])('%s never repeats a secret that was written into it', (_, define) => {
    expect(define).toThrow(expect.objectContaining({ code: 'USAGE', message: expect.not.stringContaining('s3cret') }))
  })
})

test.each(['0.5/s', '2.5/s', '0.1/m'] as const)('an API admits the rate %s, a fraction', (rate) => {
  expect(() => http('https://api.example', { rate })).not.toThrow()
})
