import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from '@jest/globals'
import { runDistributed } from '../../../src/run/distribute/run-distributed.ts'
import { apiServer } from '../../support/api-server.ts'
import { testDatabase } from '../../support/database.ts'
import { slowShop } from './slow-shop.ts'
import { startWorker } from './support.ts'

const PAGES = 30

interface WorkerProcess extends AsyncDisposable {
  readonly child: ChildProcess
  readonly lines: string[]
  /** Waits for a line that has this text. */
  readonly line: (text: string) => Promise<void>
}

function workerProcess(origin: string, url: string): WorkerProcess {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'worker-process.ts'), origin, url], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines: string[] = []
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line))
  return {
    child,
    lines,
    line: async (text) => {
      while (!lines.some((one) => one.includes(text))) await sleep(50)
    },
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}

test('a worker that is killed, and one that is stopped beyond its lease, lose and double nothing', async () => {
  await using api = await apiServer(async ({ query }) => {
    await sleep(100)
    const page = Number(query.get('page') ?? 1)
    return { json: { pages: PAGES, data: Array.from({ length: 10 }, (_, index) => ({ id: page * 10 + index })) } }
  })
  await using test = await testDatabase()
  // Renewed every 15 s.
  await test.database.query(
    `create or replace function sluice.lease_time() returns interval language sql immutable
       as $$ select interval '20 s' $$`,
  )
  await using killed = workerProcess(api.origin, test.url)
  await using stopped = workerProcess(api.origin, test.url)
  await Promise.all([killed.line('worker.started'), stopped.line('worker.started')])
  const shop = slowShop(api.origin)
  const running = runDistributed(shop, { database: test.url, batch: { rows: 10 } })
  const firstRows = (table: string) => async (): Promise<boolean> => {
    const rows = await test.database.query(`select from ${table}`).catch(() => [])
    return rows.length >= 20
  }
  const [ofOne, ofTwo] = [firstRows('t.one'), firstRows('t.two')]
  while (!(await ofOne()) || !(await ofTwo())) await sleep(50)
  stopped.child.kill('SIGSTOP')
  killed.child.kill('SIGKILL')
  await using worker = await startWorker([shop], test.url, { heartbeatSeconds: 10 })
  const report = await running
  const whole = { resumed: true, counts: { fetched: 10 * PAGES, inserted: 10 * PAGES } }
  expect(report).toMatchObject({ status: 'done', streams: { one: whole, two: whole } })
  stopped.child.kill('SIGCONT')
  // It learns that its piece has gone on elsewhere.
  while (!stopped.lines.some((line) => /"piece\.(?:finished|left)"/.test(line))) await sleep(50)
  stopped.child.kill('SIGTERM')
  await once(stopped.child, 'exit')
  await worker.drain()
  for (const table of ['t.one', 't.two'])
    expect(
      await test.database.query(`select count(*)::int as rows, count(distinct id)::int as ids from ${table}`),
    ).toEqual([{ rows: 10 * PAGES, ids: 10 * PAGES }])
  const newest = await test.database.query('select distinct on (piece) status from sluice.runs order by piece, id desc')
  expect(newest).toEqual([{ status: 'done' }, { status: 'done' }])
  const { killedWorker } = await test.database.one<{ killedWorker: boolean }>(
    `select bool_or(sluice.is_alive(w)) as "killedWorker" from sluice.workers as w where pid = ${killed.child.pid}`,
  )
  expect(killedWorker).toBe(false)
}, 180_000)
