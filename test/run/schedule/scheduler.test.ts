import { describe, expect, test } from '@jest/globals'
import { bearer, http, onePage, pipeline, secret, source } from '../../../src/index.ts'
import { runPipeline } from '../../../src/run/run-pipeline.ts'
import { runScheduler } from '../../../src/run/schedule/schedule.ts'
import type { ScheduleEvent } from '../../../src/run/schedule/schedule-event.ts'
import { testDatabase } from '../../support/database.ts'
import { FakeClock } from '../../support/fake-clock.ts'

describe('a scheduler', () => {
  test('whose run takes longer than its timeout ends that run, and notes that it failed', async () => {
    await using database = await testDatabase()
    const clock = new FakeClock('2026-05-04T00:59:59Z')
    const stop = new AbortController()
    const stuck = pipeline('stuck', {
      schedule: '0 * * * *',
      streams: {
        rows: source<{ id: string }>(async function* ({ signal }) {
          await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
          yield { records: [] }
        }).into('t.stuck', { key: 'id' }),
      },
    })
    const { promise, resolve } = Promise.withResolvers<ScheduleEvent>()
    const running = runScheduler([stuck], {
      database: database.url,
      clock,
      timeout: '300ms',
      signal: stop.signal,
      onEvent: (event) => {
        if (event.type === 'tick.finished') resolve(event)
      },
    })
    await clock.goOn('2026-05-04T01:00:00Z', () => 1, { signal: AbortSignal.timeout(5_000) })
    expect(await promise).toMatchObject({
      status: 'failed',
      error: expect.stringContaining('The run took longer than 300ms'),
    })
    stop.abort(new Error('enough'))
    await running
  }, 15_000)

  test('notes a tick whose run cannot begin, and goes on', async () => {
    await using database = await testDatabase()
    const clock = new FakeClock('2026-05-04T00:30:00Z')
    const locked = pipeline('locked', {
      schedule: '0 * * * *',
      streams: {
        rows: http('http://127.0.0.1:1', { auth: bearer(secret('NO_SUCH_TOKEN')) })
          .get<{ id: string }[]>('/')
          .pages(onePage())
          .records()
          .into('t.locked', { key: 'id' }),
      },
    })
    const stop = new AbortController()
    const events: ScheduleEvent[] = []
    let asleep = 1
    const running = runScheduler([locked], {
      database: database.url,
      clock,
      environment: {},
      signal: stop.signal,
      onEvent: (event) => {
        events.push(event)
        asleep = event.type === 'tick.started' ? 99 : 1
      },
    })
    await clock.goOn('2026-05-04T03:30:00Z', () => asleep, { signal: AbortSignal.timeout(10_000) })
    stop.abort(new Error('enough'))
    await running
    expect(events.filter(({ type }) => type === 'tick.finished')).toHaveLength(3)
    expect(events.find(({ type }) => type === 'tick.finished')).toMatchObject({
      status: 'failed',
      error: expect.stringContaining('NO_SUCH_TOKEN'),
    })
  }, 15_000)

  test('leaves out a tick of a pipeline that another program is running', async () => {
    await using database = await testDatabase()
    const clock = new FakeClock('2026-05-04T00:30:00Z')
    const held = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<void>()
    const busy = pipeline('busy', {
      schedule: '0 * * * *',
      streams: {
        rows: source<{ id: string }>(async function* () {
          begun.resolve()
          await held.promise
          yield { records: [{ id: '1' }] }
        }).into('t.busy', { key: 'id' }),
      },
    })
    const other = runPipeline(busy, { database: database.url })
    await begun.promise
    const stop = new AbortController()
    const { promise, resolve } = Promise.withResolvers<ScheduleEvent>()
    const running = runScheduler([busy], {
      database: database.url,
      clock,
      signal: stop.signal,
      onEvent: (event) => {
        if (event.type === 'tick.finished') resolve(event)
      },
    })
    await clock.goOn('2026-05-04T01:00:00Z', () => 1, { signal: AbortSignal.timeout(5_000) })
    expect(await promise).toMatchObject({ status: 'skipped' })
    stop.abort(new Error('enough'))
    held.resolve()
    expect((await other).status).toBe('done')
    await running
  }, 20_000)

  test('refuses pipelines without a schedule, and none at all', async () => {
    await expect(runScheduler([pipeline('p', { streams: {} })])).rejects.toThrow('p has no schedule')
    await expect(runScheduler([])).rejects.toThrow('There is nothing to schedule')
  })
})
