// Runs that are killed while a job runs, or inside of its results: one job is started, and each row is stored once.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, test } from '@jest/globals'
import { sleep } from '../../../src/flow/signals/sleep.ts'
import type { Report } from '../../../src/model/report.ts'
import { project, ROOT } from '../../cli/support/command.ts'
import { apiServer } from '../../support/api-server.ts'
import { COMPILE_CACHE } from '../../support/compile-cache.ts'
import { testDatabase, type TestDatabase } from '../../support/database.ts'
import { pipelineOf, RECORDS, Vendor, type VendorName } from './vendors.ts'

interface Running {
  readonly process: ChildProcess
  readonly ended: Promise<{ readonly report: Report | undefined; readonly stderr: string }>
}

const start = (cwd: string, env: Readonly<Record<string, string>>): Running => {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', join(ROOT, 'src/cli/main.ts'), 'run', 'jobs', '--json'],
    {
      cwd,
      env: { PATH: process.env['PATH'], ...COMPILE_CACHE, TOKEN: 't0ken', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  const ended = Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]).then(([stdout, stderr]) => ({
    stderr,
    report: stdout === '' ? undefined : (JSON.parse(stdout) as Report),
  }))
  return { process: child, ended }
}

async function rowsIn({ database }: TestDatabase): Promise<{ rows: number; different: number }> {
  const [table] = await database.query<{ name: string | null }>("select to_regclass('t.rows')::text as name")
  if (!table?.name) return { rows: 0, different: 0 }
  return database.one('select count(*)::int as rows, count(distinct id)::int as different from t.rows')
}

const VENDORS: readonly VendorName[] = ['shopify', 'salesforce', 'amazon']
const APPEND = `{ write: 'append' }`
const MERGE = `{ key: 'id' }`
const whole = { rows: RECORDS, different: RECORDS }

const RESULTS = VENDORS.map((vendor) => ({ vendor, moment: 'result', write: APPEND }) as const)

// How a result is read depends on the vendor; how the job is waited for does not.
test.each([
  ...RESULTS,
  { vendor: 'shopify', moment: 'first poll', write: APPEND },
  { vendor: 'salesforce', moment: 'second poll', write: MERGE },
] as const)(
  '$vendor: a run that is killed at its $moment goes on with the same job, into $write',
  async ({ vendor: name, moment, write }) => {
    await using here = await project({ 'pipelines/jobs.ts': pipelineOf(name, write) })
    await using store = await testDatabase()
    const vendor = new Vendor(name)
    await using api = await apiServer(vendor.answer)
    await using storage = await apiServer(vendor.answer)
    vendor.origin = storage.origin
    const env = { API: api.origin, STORAGE: storage.origin, DATABASE_URL: store.url }
    const killed = start(here.cwd, env)
    const exit = once(killed.process, 'exit')
    const kill = async (): Promise<void> => {
      killed.process.kill('SIGKILL')
      await exit
    }
    if (moment === 'result') {
      vendor.holdAt = 0.6
      while ((await rowsIn(store)).rows === 0) {
        if (killed.process.exitCode !== null) throw new Error((await killed.ended).stderr)
        await sleep(50)
      }
      await kill()
    } else {
      const at = moment === 'first poll' ? 1 : 2
      vendor.at = async (one, times) => {
        if (one === 'poll' && times === at) await kill()
      }
      await exit
    }
    vendor.at = () => {}
    vendor.holdAt = 1
    const storedBefore = (await rowsIn(store)).rows
    const [slice] = await store.database.query<{ position: unknown }>('select position from sluice.slices')
    expect(JSON.stringify(slice?.position)).toContain('job-1')
    expect(JSON.stringify(slice?.position)).not.toContain('s1gned')
    const { report, stderr } = await start(here.cwd, env).ended
    expect({ stderr, status: report?.status }).toEqual({ stderr: '', status: 'done' })
    expect(await rowsIn(store)).toEqual(whole)
    expect(vendor.jobs).toEqual(['job-1'])
    expect(vendor.starts).toBe(1)
    // What was stored was not read again.
    expect(report?.streams['rows']?.counts.fetched).toBe(RECORDS - storedBefore)
    expect(storedBefore).toBeLessThan(RECORDS)
    expect(storage.requests.some(({ headers }) => headers.authorization !== undefined)).toBe(false)
  },
  60_000,
)

test('a run that is killed before it knows the id starts a second job, and none with an idempotency key', async () => {
  for (const key of [undefined, 'Idempotency-Key']) {
    await using here = await project({ 'pipelines/jobs.ts': pipelineOf('amazon', APPEND) })
    await using store = await testDatabase()
    const vendor = new Vendor('amazon')
    await using api = await apiServer(vendor.answer)
    await using storage = await apiServer(vendor.answer)
    vendor.origin = storage.origin
    const env = { API: api.origin, STORAGE: storage.origin, DATABASE_URL: store.url, ...(key && { KEY: key }) }
    const killed = start(here.cwd, env)
    const exit = once(killed.process, 'exit')
    vendor.at = async (one) => {
      if (one !== 'start') return
      killed.process.kill('SIGKILL')
      await exit
    }
    await exit
    vendor.at = () => {}
    expect((await start(here.cwd, env).ended).report?.status).toBe('done')
    expect(vendor.starts).toBe(2)
    expect(vendor.jobs).toEqual(key === undefined ? ['job-1', 'job-2'] : ['job-1'])
    expect(await rowsIn(store)).toEqual(whole)
  }
}, 60_000)

test('SIGTERM ends the wait at once, and the next run waits for the same job', async () => {
  await using here = await project({
    'pipelines/jobs.ts': pipelineOf('shopify', MERGE).replace("every: '30ms', maxEvery: '100ms'", "every: '20s'"),
  })
  await using store = await testDatabase()
  const vendor = new Vendor('shopify')
  await using api = await apiServer(vendor.answer)
  vendor.origin = api.origin
  const env = { API: api.origin, STORAGE: api.origin, DATABASE_URL: store.url }
  const stopped = start(here.cwd, env)
  const stored = async (): Promise<boolean> => {
    const [slice] = await store.database.query<{ position: unknown }>('select position from sluice.slices')
    return JSON.stringify(slice?.position ?? null).includes('job-1')
  }
  while (!(await stored())) {
    if (stopped.process.exitCode !== null) throw new Error((await stopped.ended).stderr)
    await sleep(50)
  }
  // Nothing is held in the database while the job runs.
  expect(
    await store.database.query(
      "select query from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'",
    ),
  ).toEqual([])
  stopped.process.kill('SIGTERM')
  const began = performance.now()
  expect((await stopped.ended).report).toMatchObject({ status: 'interrupted' })
  expect(performance.now() - began).toBeLessThan(3_000)
  vendor.polls = 3
  expect((await start(here.cwd, env).ended).report?.status).toBe('done')
  expect(vendor.starts).toBe(1)
  expect(await rowsIn(store)).toEqual(whole)
}, 60_000)
