import { randomBytes } from 'node:crypto'
import { expect, jest, test } from '@jest/globals'
import { project } from '../../cli/support/command.ts'
import { testDatabase } from '../../support/database.ts'

jest.setTimeout(60_000)

const FILE = `
import { accounts, http, onePage, pipeline, refreshToken } from 'SLUICE'

export default pipeline('shops', {
  for: accounts({ query: 'select name from public.shops' }),
  streams: (account) => {
    const auth = refreshToken({ tokenUrl: '/token', clientId: 'c', refreshToken: account.secret('TOKEN') })
    const orders = http('http://127.0.0.1:9', { auth }).get('/orders').pages(onePage()).records()
    return { orders: orders.into('shop.orders', { key: 'id' }) }
  },
})
`

test('sluice login finds the accounts in the database that --database names', async () => {
  await using store = await testDatabase()
  await store.database.query(`create table public.shops as select 'north' as name`)
  await using at = await project({ 'pipelines/shops.ts': FILE })
  const SLUICE_KEY = randomBytes(32).toString('base64')
  expect(await at.sluice(['login', 'shops@north', '--database', store.url], { SLUICE_KEY })).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('refreshToken() has no authorizationUrl'),
  })
})
