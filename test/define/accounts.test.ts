import { describe, expect, test } from '@jest/globals'
import {
  accounts,
  describePipeline,
  http,
  onePage,
  pipeline,
  toData,
  UsageError,
  type Account,
} from '../../src/index.ts'
import { accountPipelines } from '../../src/define/accounts/account-pipelines.ts'
import { parseAccounts } from '../../src/define/accounts/parse-accounts.ts'

const rows = http('http://x').get<{ id: number }[]>('/').pages(onePage()).records()
const streams = () => ({ rows: rows.into('t.rows', { key: 'id' }) })
const parsed = (text: string) =>
  parseAccounts(text, 'SHOPS').map(({ name, members }) => [name, Object.fromEntries(members)])
const needsUrl = (account: Account) => (account.value('url'), streams())
const expanded = (text: string, of: (account: Account) => object, environment: Record<string, string> = {}) =>
  accountPipelines(
    pipeline('shops', { for: accounts('SHOPS'), streams: of as typeof streams }),
    parseAccounts(text, 'SHOPS'),
    environment,
  )

describe('accounts()', () => {
  test.each([
    [
      'names',
      'north, south-2\nwest',
      [
        ['north', {}],
        ['south-2', {}],
        ['west', {}],
      ],
    ],
    [
      'JSON of names',
      '["north", "south"]',
      [
        ['north', {}],
        ['south', {}],
      ],
    ],
    [
      'a list of objects',
      '[{"name": "north", "token": "t", "baseUrl": "u", "none": null}, {"name": 17}]',
      [
        ['north', { TOKEN: 't', BASE_URL: 'u' }],
        ['17', {}],
      ],
    ],
    [
      'an object',
      '{"north": {"rate": 2.5}, "1": {}}',
      [
        ['1', {}],
        ['north', { RATE: '2.5' }],
      ],
    ],
  ])('read %s', (_, text, wanted) => {
    expect(parsed(text)).toEqual(wanted)
  })

  test('keep every digit of a number', () => {
    expect(parsed('{"north": {"id": 12345678901234567890, "on": true}}')).toEqual([
      ['north', { ID: '12345678901234567890', ON: 'true' }],
    ])
  })

  test.each([
    ['no name', '[]', 'there is no account'],
    ['an empty list', ' , ', 'there is no account'],
    ['a wrong name', 'North', '"North" is no name of an account'],
    ['a name with a dot', 'north.1', 'is no name of an account'],
    ['a name twice', 'north,south,north', 'there are two accounts north'],
    [
      'a member twice',
      '{"north": {"a": "{\\"north\\":"}, "south": {}, "n\\u006frth": {}}',
      'there are two accounts north',
    ],
    ['names with one variable', 'north-1,north_1', 'the accounts north-1 and north_1 would share their variables'],
    ['an object without a name', '[{"token": "hidden"}]', 'account 1 has no name'],
    ['a value that is no text', '[{"name": "north", "token": {}}]', 'the member token of north must be text'],
    ['a value twice', '[{"name": "north", "apiKey": "a", "api_key": "b"}]', 'two members of north mean API_KEY'],
    ['broken JSON', '[{"name": "hidden"', 'it begins like JSON and is not JSON'],
  ])('refuse %s, without the text', (_, text, message) => {
    expect(() => parsed(text)).toThrow(UsageError)
    expect(() => parsed(text)).toThrow(message)
    expect(() => parsed(text)).not.toThrow('hidden')
  })

  test('refuse options that do not exist, and columns that Sluice has', () => {
    expect(() => accounts('SHOPS', { colum: 'shop' } as object)).toThrow('there is no option "colum"')
    expect(() => accounts('SHOPS', { column: '_slice' })).toThrow('cannot be the column of the account')
    expect(() => accounts('SHOPS', { column: 'Shop' })).toThrow('cannot be the column of the account')
    expect(() => accounts('SHOPS', { concurrency: 0 })).toThrow('concurrency must be a whole number from 1')
    expect(() => accounts('no name')).toThrow('give the name of an environment variable')
    expect(() => accounts({} as { file: string })).toThrow("{ file: './shops.json' }")
    expect(() => pipeline('shops', { streams } as never)).toThrow("'for' and a function belong together")
    expect(() => pipeline('shops', { for: accounts('SHOPS'), streams: streams() } as never)).toThrow('belong together')
    expect(() => http('http://x', { ratePer: 'shop' as 'app' })).toThrow("ratePer is 'account' or 'app'")
  })
})

test('describePipeline() says which accounts a pipeline has, and which key', () => {
  const shops = pipeline('shops', { for: accounts('SHOPS', { column: 'shop' }), streams })
  expect(describePipeline(shops)).toBe(
    'shops  on command only\n  a pipeline for each account of the variable SHOPS, 4 at a time; their column: shop',
  )
  const [north] = accountPipelines(shops, parseAccounts('north', 'SHOPS'), {}).pipelines
  expect(describePipeline(north!)).toContain('rows -> t.rows (merge on shop, id)')
  expect(() => toData(shops as never)).toThrow('shops: its streams are a function of the account')
})

describe('a pipeline for each account', () => {
  test('has the names of its own variables', () => {
    const seen: unknown[] = []
    expanded(
      '[{"name": "north", "url": "https://north.example"}, "south-2"]',
      (account) => {
        seen.push([account.secret('TOKEN'), account.value('url', 'none'), account.value('REGION', 'eu')])
        return streams()
      },
      { SHOPS_SOUTH_2_REGION: 'us' },
    )
    expect(seen).toEqual([
      [{ secret: 'SHOPS_NORTH_TOKEN' }, 'https://north.example', 'eu'],
      [{ secret: 'SHOPS_SOUTH_2_TOKEN' }, 'none', 'us'],
    ])
  })

  test('fails alone if a value is missing, and all fail together', () => {
    const { pipelines, failed } = expanded('north,south', needsUrl, { SHOPS_NORTH_URL: 'u' })
    expect(pipelines.map(({ name }) => name)).toEqual(['shops@north'])
    expect(failed.map(({ account, error }) => [account, error.message])).toEqual([
      ['south', expect.stringContaining('shops@south: SHOPS_SOUTH_URL is not set')],
    ])
    expect(() => expanded('north,south', needsUrl)).toThrow('shops@north: SHOPS_NORTH_URL is not set')
  })

  test('never gets the variable of another account', () => {
    const { failed } = expanded('north,north-east', (account) => {
      account.secret(account.name === 'north' ? 'EAST_TOKEN' : 'TOKEN')
      return streams()
    })
    expect(failed.map(({ error }) => error.message)).toEqual([
      expect.stringContaining('the accounts north and north-east would both use SHOPS_NORTH_EAST_TOKEN'),
    ])
  })

  test('refuses a secret that stands in two places', () => {
    for (const variable of ['SHOPS_NORTH_TOKEN', 'SHOPS_NORTH_TOKEN_FILE'])
      expect(() =>
        expanded('[{"name": "north", "token": "hidden"}]', (account) => (account.secret('TOKEN'), streams()), {
          [variable]: 'x',
        }),
      ).toThrow(`TOKEN stands with the account and in ${variable}`)
  })

  test('has streams of the same names', () => {
    expect(() => expanded('north,south', ({ name }) => ({ [name]: rows.into('t.rows', { key: 'id' }) }))).toThrow(
      'All accounts of a pipeline have streams of the same names',
    )
  })

  test('cannot replace a table, because the rows of the others would go', () => {
    expect(() => expanded('north', () => ({ rows: rows.into('t.rows', { key: 'id', write: 'replace' }) }))).toThrow(
      'shops.rows: replace removes all rows that were not read, also those of the other accounts',
    )
  })

  test('shows no value of its account when it is printed', () => {
    const { pipelines } = expanded('[{"name": "north", "token": "hidden"}]', (account) => {
      account.secret('token')
      return streams()
    })
    expect(JSON.stringify(pipelines)).not.toContain('hidden')
    expect(pipelines[0]?.account?.environment({ A: 'b' })).toEqual({ A: 'b', SHOPS_NORTH_TOKEN: 'hidden' })
  })
})
