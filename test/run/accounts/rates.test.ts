import { describe, expect, jest, test } from '@jest/globals'
import { accounts, bearer, byPage, http, pipeline, secret, type Account, type HttpOptions } from '../../../src/index.ts'
import { run } from '../../../src/entry/run.ts'
import { apiServer } from '../../support/api-server.ts'
import { testDatabase } from '../../support/database.ts'

jest.setTimeout(60_000)

const environment = { SHOPS: '{"north": {"token": "t-north"}, "south": {"token": "t-south"}}', KEY: 'common-key' }

/** Runs two accounts with twelve pages each, and returns when their requests have arrived. */
async function arrivals(optionsOf: (account: Account) => HttpOptions) {
  const arrived: number[] = []
  await using api = await apiServer(({ query }) => {
    arrived.push(performance.now())
    return { json: Number(query.get('page')) > 11 ? [] : [{ id: Number(query.get('page')) }] }
  })
  await using test = await testDatabase()
  const definition = pipeline('shops', {
    for: accounts('SHOPS'),
    streams: (account) => {
      const pages = http(api.origin, optionsOf(account)).get<{ id: number }[]>('/rows').pages(byPage('page'))
      return { rows: pages.records().into('t.rows', { key: 'id' }) }
    },
  })
  expect((await run(definition, { database: test.url, environment })).status).toBe('done')
  const budgets = await test.database.query<{ credentials: string[] }>(
    'select credentials from sluice.rates order by 1',
  )
  return { arrived, ms: Math.max(...arrived) - Math.min(...arrived), budgets: budgets.map((one) => one.credentials) }
}

describe('the rate of an API', () => {
  test('is that of each account, although all have one key', async () => {
    const { arrived, budgets } = await arrivals(() => ({ auth: bearer(secret('KEY')), rate: '6/s' }))
    expect(budgets).toEqual([
      ['KEY', 'account north'],
      ['KEY', 'account south'],
    ])
    expect(arrived.length).toBe(24)
  })

  test('is that of all accounts together with ratePer: app, although each has its own token', async () => {
    const { arrived, ms, budgets } = await arrivals((account) => ({
      auth: bearer(account.secret('TOKEN')),
      rate: '6/s',
      ratePer: 'app',
    }))
    expect(budgets).toEqual([['*_TOKEN', 'all accounts']])
    expect(arrived.length).toBe(24)
    // One budget of 6 lets 24 through in four periods, two budgets in two.
    expect(ms).toBeGreaterThan(2_900)
  })
})
