/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-return -- Answers are compared as they came. */
import { expect, test } from '@jest/globals'
import { glob, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import fastify from 'fastify'
import { bearer, http, onePage, pipeline, secret, since, until as upTo } from '../../src/index.ts'
import { overviewBackfills } from '../../src/ledger/read/backfill-overview.ts'
import { lastGauges } from '../../src/ledger/read/read-events.ts'
import { readRejects } from '../../src/ledger/read/read-rejects.ts'
import { readReport } from '../../src/ledger/read/read-report.ts'
import { readRun, readRuns } from '../../src/ledger/read/read-runs.ts'
import { readSlices } from '../../src/ledger/read/read-slices.ts'
import { readWindows } from '../../src/ledger/read/read-windows.ts'
import { backfillWithWindows, reject, run, runWithReport, slice, summary } from '../../src/server/schemas/resources.ts'
import { schemas } from '../../src/server/schemas/routes.ts'
import {
  serializeBackfill,
  serializeReject,
  serializeRun,
  serializeRunWithReport,
  serializeSlice,
  serializeWindow,
} from '../../src/server/schemas/serializers.ts'
import type { Context } from '../../src/server/context.ts'
import { readSummary } from '../../src/server/summary.ts'
import { ended, rig, rows, until, type Rig } from './support.ts'

/** A validator of values that neither converts them nor drops members; it returns the first violation. */
async function validator() {
  const app = fastify({ ajv: { customOptions: { removeAdditional: false, coerceTypes: false, useDefaults: false } } })
  const checks = { summary, run, runWithReport, slice, reject, backfillWithWindows, ...answers }
  for (const [name, body] of Object.entries(checks)) app.post(`/${name}`, { schema: { body } }, () => 'valid')
  await app.ready()
  return async (name: keyof typeof checks, value: unknown): Promise<string> => {
    const { body } = await app.inject({ method: 'POST', url: `/${name}`, payload: value as object })
    return body
  }
}

const answers = {
  summaryAnswer: schemas.summary.response[200],
  runsAnswer: schemas.runs.response[200],
  runAnswer: schemas.run.response[200],
  slicesAnswer: schemas.slices.response[200],
  rejectsAnswer: schemas.rejects.response[200],
  backfillsAnswer: schemas.backfills.response[200],
  backfillAnswer: schemas.backfill.response[200],
  readyAnswer: schemas.ready.response[200],
  problemAnswer: schemas.run.response['4xx'],
}

/** A ledger with a finished run, a reject, a failed and a done window, and a run that waits for its API. */
async function filled(): Promise<Rig & { readonly hanging: string }> {
  let isHanging = false
  const served = await rig({
    environment: { DAYS_TOKEN: 'a-token-that-is-long-enough' },
    handler: ({ path, query }) => {
      if (path === '/days')
        return query.get('from')?.startsWith('2024-01-02') === true
          ? { status: 500, json: {} }
          : { json: [{ id: query.get('from'), at: query.get('from') }] }
      if (isHanging && query.get('page') === '2') return { hang: true as const }
      return {
        json: {
          rows:
            query.get('page') === '1'
              ? [
                  { id: 1, name: 'a' },
                  { id: null, name: 'b' },
                ]
              : [],
        },
      }
    },
    pipelines: (origin) => [
      pipeline('shop', {
        schedule: '0 4 * * *',
        streams: {
          rows: rows(origin).into('t.rows', { key: 'id' }),
          days: http(origin, { attempts: 1, auth: bearer(secret('DAYS_TOKEN')) })
            .get<{ id: string; at: string }[]>('/days', { from: since, to: upTo })
            .pages(onePage())
            .records()
            .incremental('at')
            .into('t.days', { key: 'id' }),
        },
      }),
    ],
  })
  const start = async (path: string, body: object): Promise<string> => (await served.post(path, body)).json.run
  await ended(served, await start('/api/runs', { pipeline: 'shop', streams: ['rows'] }))
  const days = { pipeline: 'shop', stream: 'days', from: '2024-01-01', to: '2024-01-03' }
  await ended(served, await start('/api/backfills', days))
  isHanging = true
  const hanging = await start('/api/runs', { pipeline: 'shop', streams: ['rows'] })
  await until(async () => (await served.get('/api/summary')).json.running[0]?.gauge?.streams.rows !== undefined)
  return { ...served, hanging }
}

test('every answer has the members of its schema and no others', async () => {
  await using served = await filled()
  const validate = await validator()
  for (const [name, path] of [
    ['summaryAnswer', '/api/summary'],
    ['runsAnswer', '/api/runs'],
    ['runAnswer', '/api/runs/1'],
    ['runAnswer', '/api/runs/2'],
    ['runAnswer', `/api/runs/${served.hanging}`],
    ['slicesAnswer', '/api/slices'],
    ['rejectsAnswer', '/api/rejects'],
    ['backfillsAnswer', '/api/backfills'],
    ['backfillAnswer', '/api/backfills/1'],
    ['readyAnswer', '/readyz'],
    ['problemAnswer', '/api/runs/99'],
  ] as const) {
    const { json } = await served.get(path)
    expect([path, await validate(name, json)]).toEqual([path, 'valid'])
  }
  expect(await validate('problemAnswer', { error: { location: '', problem: '', remedy: '' }, more: 1 })).toContain(
    'additional properties',
  )
  expect(await validate('summaryAnswer', {})).toContain("required property 'at'")
})

test('serializers make nothing that their schemas do not describe', async () => {
  await using served = await filled()
  const validate = await validator()
  const { database } = served.test
  const check = async (name: Parameters<typeof validate>[0], values: readonly unknown[]): Promise<void> => {
    expect(values.length).toBeGreaterThan(0)
    for (const value of values) expect([name, value, await validate(name, value)]).toEqual([name, value, 'valid'])
  }
  const context = {
    database,
    served: { byName: new Map([['shop', served.pipeline]]), findings: () => [] },
    runner: { has: () => true },
  } as unknown as Context // the members that a summary reads
  await check('summary', [await readSummary(context, AbortSignal.timeout(30_000))])
  await check('run', (await readRuns(database)).map(serializeRun))
  const known = (await readRun(database, served.hanging))!
  const gauge = (await lastGauges(database, [served.hanging])).get(served.hanging)
  await check('runWithReport', [serializeRunWithReport(known, await readReport(database, '1'), gauge)])
  await check('slice', (await readSlices(database)).map(serializeSlice))
  await check('reject', (await readRejects(database)).map(serializeReject))
  const [backfill] = await overviewBackfills(database, { id: '1' })
  const map = (await readWindows(database, '1')).map(serializeWindow)
  expect(map.map(({ state }) => state)).toEqual(['done', 'failed'])
  await check('backfillWithWindows', [{ ...serializeBackfill(backfill!), map }])
})

test("the page's types of answers come from the schemas", async () => {
  const page = join(import.meta.dirname, '../../src/server/page')
  const imported = new Set<string>()
  for await (const file of glob('**/*', { cwd: page, exclude: (name) => name === 'node_modules' })) {
    expect(file).not.toMatch(/\.d\.ts$/)
    if (!file.endsWith('.js')) continue
    for (const [, path] of (await readFile(join(page, file), 'utf8')).matchAll(/import\('([^']+\.ts)'\)/g))
      imported.add(path!)
  }
  expect([...imported].toSorted()).toEqual(['../../schemas/resources.ts', '../../schemas/work.ts'])
})
