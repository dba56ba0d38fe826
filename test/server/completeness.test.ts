/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-return -- Answers are compared as they came. */
import { expect, test } from '@jest/globals'
import { backfill, run } from '../../src/index.ts'
import { pagedByCursor, renamedCursor } from './open-readings.ts'
import { rig, until, watch } from './support.ts'

const ended = { grade: 'ended', reasons: [] }
const open = { grade: 'open', reasons: [expect.stringContaining('next_cursor')] }

async function openRig() {
  const source = renamedCursor()
  const served = await rig({ handler: source.handler, pipelines: (origin) => [pagedByCursor(origin)] })
  return { ...served, source }
}

/** The line of a grade in the metrics. */
const gaugeOf = (grade: string, value: number): string =>
  `sluice_stream_completeness{pipeline="shop",stream="rows",grade="${grade}"} ${value}\n`

test('an open reading is shown by summary, run, slice, events and metrics until it is covered', async () => {
  await using served = await openRig()
  using watcher = await watch(served.server)
  const options = { database: served.test.url, environment: {} }
  await run(served.pipeline, options)
  const stream = async () => (await served.get('/api/summary')).json.pipelines[0].streams[0]
  expect(await stream()).toMatchObject({
    completeness: open,
    openReadings: 1,
    findings: [{ kind: 'open readings', isProblem: true, message: expect.stringContaining('next_cursor') }],
    runs: [{ status: 'done', completeness: open }],
  })
  expect((await served.get('/api/runs')).json.runs).toMatchObject([{ status: 'done', completeness: open }])
  expect((await served.get('/api/runs/1')).json).toMatchObject({
    completeness: open,
    details: [{ stream: 'rows', completeness: open }],
    report: { streams: { rows: { completeness: open } } },
  })
  expect((await served.get('/api/slices')).json.slices).toMatchObject([{ status: 'done', completeness: open }])
  await until(() => watcher.events.some(({ type }) => type === 'run.finished'))
  expect(watcher.events).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ type: 'slice.finished', completeness: open }),
      expect.objectContaining({ type: 'warning', stream: 'rows', message: expect.stringContaining('next_cursor') }),
    ]),
  )
  const metrics = async () => (await served.get('/metrics')).text
  const before = await metrics()
  for (const line of [gaugeOf('open', 1), gaugeOf('ended', 0), gaugeOf('counted', 0)]) expect(before).toContain(line)
  expect(before).toContain('sluice_open_readings{pipeline="shop",stream="rows"} 1\n')

  served.source.isRenamed = false
  // This one has proof, but it reads only what is newer.
  await run(served.pipeline, options)
  expect(await stream()).toMatchObject({ completeness: ended, openReadings: 1, findings: [{ kind: 'open readings' }] })
  const after = await metrics()
  for (const line of [gaugeOf('open', 0), gaugeOf('ended', 1), gaugeOf('counted', 0)]) expect(after).toContain(line)
  expect(after).toContain('sluice_open_readings{pipeline="shop",stream="rows"} 1\n')

  await run(served.pipeline, { ...options, full: true })
  expect(await stream()).toMatchObject({ completeness: ended, openReadings: 0, findings: [] })
  expect(await metrics()).toContain('sluice_open_readings{pipeline="shop",stream="rows"} 0\n')
})

test('windows that are not proven complete are counted, until windows of another backfill cover them', async () => {
  await using served = await openRig()
  const two = { database: served.test.url, environment: {}, from: '2024-01-01', to: '2024-01-03' }
  const report = await backfill(served.pipeline, two)
  expect(report.streams['rows']).toMatchObject({
    completeness: { grade: 'open' },
    backfill: { windows: { total: 2, done: 2, unproven: 2 } },
  })
  const backfillOf = async (id: string) => (await served.get(`/api/backfills/${id}`)).json
  expect(await backfillOf('1')).toMatchObject({
    done: 2,
    unproven: 2,
    completeness: { grade: 'open' },
    map: [
      { state: 'done', unproven: true, completeness: open },
      { state: 'done', unproven: true, completeness: open },
    ],
  })
  const findings = async () =>
    (await served.get('/api/summary')).json.pipelines[0].streams[0].findings.filter(
      ({ kind }: { kind: string }) => kind !== 'never ran',
    )
  expect(await findings()).toMatchObject([
    {
      kind: 'open windows',
      message: expect.stringMatching(/^2 windows of its backfills \(2024-01-01 to 2024-01-03\) could not prove /),
    },
  ])

  served.source.isRenamed = false
  // The windows that are done are skipped only if they are proven.
  await backfill(served.pipeline, { ...two, window: '12h', only: 'missing' })
  expect(await backfillOf('2')).toMatchObject({ windows: 4, done: 4, skipped: 0, unproven: 0, completeness: ended })
  expect(await backfillOf('1')).toMatchObject({ done: 2, unproven: 0 })
  expect(await findings()).toEqual([])
})

test('an open incremental reading is covered by a backfill of its range', async () => {
  await using served = await openRig()
  const options = { database: served.test.url, environment: {} }
  served.source.isRenamed = false
  await run(served.pipeline, options)
  served.source.isRenamed = true
  await run(served.pipeline, options)
  const openReadings = async (): Promise<unknown> =>
    (await served.get('/api/summary')).json.pipelines[0].streams[0].openReadings
  expect(await openReadings()).toBe(1)
  served.source.isRenamed = false
  // The reading looked back one minute, into the day before.
  await backfill(served.pipeline, { ...options, from: '2024-01-01', to: '2024-01-02' })
  expect(await openReadings()).toBe(1)
  await backfill(served.pipeline, { ...options, from: '2023-12-31', to: '2024-01-02' })
  expect(await openReadings()).toBe(0)
})
