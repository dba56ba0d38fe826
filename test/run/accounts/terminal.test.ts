import { describe, expect, jest, test } from '@jest/globals'
import { project } from '../../cli/support/command.ts'
import { hasTerminal, inTerminal } from '../../cli/support/terminal.ts'
import { testDatabase } from '../../support/database.ts'
import { orders, shopApi, shopsJson } from './support.ts'

jest.setTimeout(60_000)

const inside = hasTerminal() ? describe : describe.skip

const FILE = `
import { accounts, bearer, byPage, http, pipeline } from 'SLUICE'

export default pipeline('shops', {
  for: accounts('SHOPS'),
  streams: (account) => {
    const api = http(process.env.API, { auth: bearer(account.secret('TOKEN')), attempts: 1, rate: '20/s' })
    const orders = api.get('/orders').pages(byPage('page', { pages: 'pages' })).records('orders')
    return { orders: orders.into('shop.orders', { key: 'id' }) }
  },
})
`

inside('on a terminal', () => {
  test('the accounts of a run share one display and one report', async () => {
    await using api = await shopApi(
      (account) => orders(account, 30),
      (account) => (account === 'south' ? 500 : 200),
    )
    await using database = await testDatabase()
    await using here = await project({ 'pipelines/shops.ts': FILE })
    const SHOPS = `${shopsJson(['north', 'south']).slice(0, -1)}, {"name": "west"}]`
    await using terminal = await inTerminal(['run', 'shops'], {
      cwd: here.cwd,
      env: { API: api.origin, DATABASE_URL: database.url, SHOPS },
      columns: 100,
      rows: 40,
    })
    await terminal.shows((lines) => lines.some((line) => line.includes('shops: failed (south.orders, west.orders)')))
    expect(await terminal.ended).toBe(2)
    const text = terminal.screen.lines.join('\n')
    expect(text).toMatch(/^north\.orders +30 +30 /m)
    expect(text).toMatch(/^south\.orders +0 +0 /m)
    expect(text).toMatch(/^west\.orders +0 +0 /m)
    expect(text).toContain('FAILED: shops@west.orders: secret SHOPS_WEST_TOKEN is not set')
    // The live lines of both were there at once.
    expect(terminal.written()).toMatch(/north\.orders[^\n]*\n[^\n]*south\.orders/)
  })
})
