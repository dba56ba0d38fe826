import { expect, test } from '@jest/globals'
import type { Report } from '../../src/index.ts'
import type { StatusReport } from '../../src/index.ts'
import { apiServer } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'
import { callSluice } from './support/call.ts'
import { project } from './support/command.ts'

const PIPELINE = `
import { byCursor, http, pipeline } from 'SLUICE'
const orders = http(process.env.API)
  .get('/orders', { limit: 2 })
  .pages(byCursor('cursor', 'meta.next'))
  .records('orders')
export default pipeline('shop', { streams: { orders: orders.into('t.orders', { key: 'id' }) } })
`

test('a run that cannot prove that it read everything says so in report, quiet line, runs and status', async () => {
  let next = 'next_cursor'
  await using api = await apiServer(({ query }) => {
    const isSecond = query.get('cursor') === '2'
    const ids = isSecond ? [3, 4] : [1, 2]
    return { json: { orders: ids.map((id) => ({ id })), meta: { [next]: isSecond ? null : '2' } } }
  })
  await using here = await project({ 'pipelines/shop.ts': PIPELINE })
  await using database = await testDatabase()
  const sluice = (...words: string[]) =>
    callSluice(words, { cwd: here.cwd, env: { API: api.origin, DATABASE_URL: database.url } })

  const json = await sluice('run', 'shop', '--json')
  expect(json.code).toBe(0)
  expect((JSON.parse(json.stdout) as Report).streams['orders']?.completeness).toEqual({
    grade: 'open',
    reasons: [expect.stringContaining('next_cursor')],
  })
  // Cron with >/dev/null mails this line.
  const quiet = await sluice('run', 'shop', '--quiet')
  expect(quiet).toMatchObject({ code: 0, stdout: '' })
  expect(quiet.stderr).toMatch(/^shop: ended in .+; orders: it is not proven .*next_cursor/)
  const report = await sluice('runs', '1')
  expect(report.stdout).toMatch(/ read from the start, open, 1 request\n +warning: .*next_cursor/)
  expect(report.stdout).toMatch(/\nshop: ended in .+, not proven complete: orders,/)
  expect((await sluice('runs')).stdout).toMatch(/^ +1 +shop +sync +open .* open$/m)

  const status = await sluice('status')
  expect(status.code).toBe(1)
  expect(status.stdout).toMatch(/^shop\.orders +open +\d+ s ago +open /m)
  expect(status.stdout.replaceAll(/\n {9}/g, ' ')).toMatch(
    /^problem {2}shop\.orders: 2 readings, the last one by run 2, could not prove .* everything: .*next_cursor/m,
  )
  const { streams } = JSON.parse((await sluice('status', '--json')).stdout) as StatusReport
  expect(streams).toMatchObject([{ state: 'done', completeness: { grade: 'open' }, openReadings: 2 }])

  next = 'next'
  const done = await sluice('run', 'shop', '--quiet')
  expect(done).toMatchObject({ code: 0, stderr: '' })
  expect(done.stdout).toMatch(/^shop: done in /)
  expect((await sluice('runs')).stdout).toMatch(/^ +3 +shop +sync +done .* ended$/m)
  const good = await sluice('status')
  expect(good).toMatchObject({ code: 0 })
  expect(good.stdout).toMatch(/^shop\.orders +done +\d+ s ago +ended /m)
})
