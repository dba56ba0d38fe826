import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, test } from '@jest/globals'
import { sleep } from '../../src/flow/signals/sleep.ts'
import type { ScheduleEvent } from '../../src/run/schedule/schedule-event.ts'
import { apiServer } from '../support/api-server.ts'
import { testDatabase } from '../support/database.ts'
import { project, ROOT } from './support/command.ts'

const pipeline = `
import { bearer, byPage, http, pipeline, secret } from 'SLUICE'
const api = http(process.env.API, { auth: bearer(secret('SHOP_TOKEN')) })
const rows = api.get('/rows').pages(byPage('page')).records()
export default pipeline('plain', { schedule: '*/15 * * * *', streams: { rows: rows.into('t.rows', { key: 'id' }) } })
`

interface Running extends Disposable {
  readonly process: ChildProcess
  readonly events: ScheduleEvent[]
  readonly ended: Promise<unknown[]>
}

function start(cwd: string, env: Record<string, string>): Running {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', join(ROOT, 'src/cli/main.ts'), 'schedule', 'plain', '--json'],
    { cwd, env: { PATH: process.env['PATH'], ...env }, stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const events: ScheduleEvent[] = []
  createInterface({ input: child.stdout }).on('line', (line) => events.push(JSON.parse(line) as ScheduleEvent))
  // A failed test leaves no scheduler behind.
  return { process: child, events, ended: once(child, 'exit'), [Symbol.dispose]: () => child.kill('SIGKILL') }
}

test('a scheduler that is killed leaves its tick to the next one, which SIGTERM stops within 5 s', async () => {
  let isStuck = true
  await using api = await apiServer(({ query }) => {
    if (query.get('page') === '1') return { json: [{ id: 1 }] }
    return isStuck ? { hang: true } : { json: [] }
  })
  await using here = await project({ 'pipelines/plain.ts': pipeline })
  await using database = await testDatabase()
  const { database: db } = database
  // It was down for 3 hours, so a tick is due at once.
  await db.query(`insert into sluice.schedules values ('plain', now() - interval '3 h')`)
  const env = { API: api.origin, DATABASE_URL: database.url, SHOP_TOKEN: 'hidden-token-1' }
  const ticks = () =>
    db.query<{ status: string; attempt: number }>(
      `select status, attempt from sluice.ticks where status <> 'missed' order by tick`,
    )
  const requested = async (times: number): Promise<void> => {
    while (api.requests.length < times) await sleep(20)
  }

  using first = start(here.cwd, env)
  await requested(2)
  first.process.kill('SIGKILL')
  await first.ended
  expect(await ticks()).toEqual([{ status: 'running', attempt: 1 }])

  using second = start(here.cwd, env)
  await requested(3)
  const began = performance.now()
  second.process.kill('SIGTERM')
  expect(await second.ended).toEqual([0, null])
  expect(performance.now() - began).toBeLessThan(5_000)
  expect((await ticks()).at(-1)!.status).toBe('interrupted')
  // If 15 minutes ended since the first scheduler was killed, a tick was missed.
  const events = second.events.filter(({ type }) => type !== 'ticks.missed')
  expect(events.map(({ type }) => type)).toEqual([
    'scheduler.started',
    'tick.started',
    'tick.finished',
    'scheduler.stopped',
  ])
  expect(events[2]).toMatchObject({ status: 'interrupted', run: expect.any(String) })

  isStuck = false
  using third = start(here.cwd, env)
  while (!third.events.some(({ type }) => type === 'tick.finished')) await sleep(20)
  third.process.kill('SIGTERM')
  await third.ended
  expect((await ticks()).at(-1)!.status).toBe('done')
  expect(await db.query('select id::int from t.rows')).toEqual([{ id: 1 }])
})
