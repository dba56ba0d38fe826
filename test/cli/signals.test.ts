import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, test } from '@jest/globals'
import { sleep } from '../../src/flow/signals/sleep.ts'
import type { Report } from '../../src/model/report.ts'
import { apiServer, type ApiServer } from '../support/api-server.ts'
import { COMPILE_CACHE } from '../support/compile-cache.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'
import { project, ROOT } from './support/command.ts'

const pipeline = `
import { byPage, http, pipeline } from 'SLUICE'

const rows = http(process.env.API).get('/rows').pages(byPage('page')).records()
export default pipeline('slow', { streams: { rows: rows.into('t.rows', { key: 'id' }) } })
`

/** Two pages, then nothing more. */
const twoPages = (): Promise<ApiServer> =>
  apiServer(({ query }) =>
    Number(query.get('page')) > 2 ? { hang: true } : { json: [{ id: Number(query.get('page')) }] },
  )

interface Running {
  readonly process: ChildProcess
  readonly ended: Promise<{
    readonly code: number | null
    readonly report: Report | undefined
    readonly stderr: string
  }>
}

async function running(cwd: string, api: ApiServer, { url }: TestDatabase): Promise<Running> {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', join(ROOT, 'src/cli/main.ts'), 'run', 'slow', '--json'],
    {
      cwd,
      env: { PATH: process.env['PATH'], ...COMPILE_CACHE, API: api.origin, DATABASE_URL: url },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  const ended = Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit') as Promise<[number | null]>,
  ]).then(([stdout, stderr, [code]]) => ({
    code,
    stderr,
    report: stdout === '' ? undefined : (JSON.parse(stdout) as Report),
  }))
  while (api.requests.length < 3) await sleep(20)
  return { process: child, ended }
}

/** Milliseconds that it took to end. */
async function endsAfter<T>(ended: Promise<T>): Promise<{ readonly ms: number; readonly outcome: T }> {
  const began = performance.now()
  const outcome = await ended
  return { ms: performance.now() - began, outcome }
}

describe('a run that a signal stops', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)(
    '(%s) commits complete batches, reports them and exits with 130',
    async (signal) => {
      await using here = await project({ 'pipelines/slow.ts': pipeline })
      await using api = await twoPages()
      await using database = await testDatabase()
      const run = await running(here.cwd, api, database)
      run.process.kill(signal)
      const { ms, outcome } = await endsAfter(run.ended)
      expect(outcome).toMatchObject({
        code: 130,
        report: {
          status: 'interrupted',
          streams: { rows: { status: 'interrupted', counts: { fetched: 2, inserted: 2 } } },
        },
      })
      expect(ms).toBeLessThan(5_000)
      expect(await database.database.query('select id::int from t.rows order by id')).toEqual([{ id: 1 }, { id: 2 }])
      expect(await database.database.query('select status from sluice.runs')).toEqual([{ status: 'interrupted' }])
    },
    20_000,
  )

  test('exits within 5 s if the database blocks its commit, and at once after a second signal', async () => {
    await using here = await project({ 'pipelines/slow.ts': pipeline })
    const until = async (signals: number): Promise<{ ms: number; code: number | null }> => {
      await using database = await testDatabase()
      await database.database.query('create schema t')
      await database.database.query('create table t.rows (id bigint primary key)')
      await using lock = await database.database.transaction()
      // Who reads may, who writes waits.
      await lock.query('lock table t.rows in share mode')
      await using api = await twoPages()
      const run = await running(here.cwd, api, database)
      for (let sent = 1; sent < signals; sent += 1) {
        run.process.kill('SIGINT')
        await sleep(300)
        expect(run.process.exitCode).toBeNull()
      }
      run.process.kill('SIGINT')
      const { ms, outcome } = await endsAfter(run.ended)
      return { ms, code: outcome.code }
    }
    const [once, twice] = await Promise.all([until(1), until(2)])
    expect(once.code).toBe(130)
    expect(once.ms).toBeLessThan(5_500)
    expect(twice.code).toBe(130)
    expect(twice.ms).toBeLessThan(2_000)
  }, 30_000)
})
