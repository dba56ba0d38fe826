// How a job is waited for, what ends the wait, and the key with which it is started.
import { expect, test } from '@jest/globals'
import type { RunEvent } from '../../../src/model/event.ts'
import type { Page } from '../../../src/model/page.ts'
import { apiServer } from '../../support/api-server.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { readPages } from '../read-pages.ts'
import { Exporter, jobOf } from './exporter.ts'

test('polls wait longer and longer, obey Retry-After, and end with the longest time of a job', async () => {
  const exporter = new Exporter()
  exporter.polled = () => ({ state: 'crunching' })
  exporter.answerTo = ({ path: asked }) =>
    asked === '/jobs/j1' && exporter.polls === 3
      ? { json: exporter.polled((exporter.polls += 1), 'j1'), headers: { 'retry-after': '100' } }
      : undefined
  await using api = await apiServer(exporter.answer)
  const clock = new FakeClock('2026-01-01T00:00:00Z')
  const waits: number[] = []
  const read: Page[] = []
  const { signal } = new AbortController()
  const job = jobOf(api.origin, { every: '2s', maxEvery: '10s', longest: '5m' }).download('url')
  const emit = (event: RunEvent): void => {
    if (event.type === 'waiting' && event.for === 'job') waits.push(event.ms / 1_000)
  }
  const options = { now: clock.now, sleep: clock.sleep, emit, id: '1', onPage: (page: Page) => void read.push(page) }
  const reading = readPages(job, options)
  let isEnded = false
  reading.catch(() => {}).finally(() => (isEnded = true))
  await clock.goOn('2026-01-01T00:10:00Z', () => (isEnded ? 0 : 1), { signal })
  await expect(reading).rejects.toThrow('the job j1 of POST /jobs is still crunching after 5m. The next run starts')
  expect(waits.slice(0, 7)).toEqual([2, 2, 3, 4.5, 100, 10, 10])
  expect(waits.reduce((sum, wait) => sum + wait, 0)).toBe(300)
  expect(exporter.cancelled).toEqual(['/jobs/j1'])
  expect(read.at(-1)?.position).toEqual({ job: { starts: 1, failures: 0 } })
})

test('a reader that leaves cancels the job if no ledger keeps it, and leaves it running otherwise', async () => {
  const exporter = new Exporter()
  exporter.polled = () => ({ state: 'running' })
  await using api = await apiServer(exporter.answer)
  const job = jobOf(api.origin, { every: '1h' }).download('url')
  for (const id of [undefined, '1']) {
    const stop = new AbortController()
    const reading = readPages(job, {
      signal: stop.signal,
      ...(id && { id }),
      onPage: () => setTimeout(() => stop.abort(), 50),
    })
    const started = performance.now()
    await expect(reading).rejects.toThrow('This operation was aborted')
    expect(performance.now() - started).toBeLessThan(5_000)
  }
  expect(exporter.cancelled).toEqual(['/jobs/j1'])
})

test('the key of a job is the same for the same slice, and another one for the next job', async () => {
  const exporter = new Exporter()
  exporter.polled = (_, id) => (id === 'j1' ? { state: 'failed' } : { state: 'done', url: null })
  await using api = await apiServer(exporter.answer)
  const flow = jobOf(api.origin, { idempotencyKey: 'Idempotency-Key' }).download('url')
  const startedAt = new Date('2026-01-01')
  await readPages(flow, { id: '7', startedAt })
  await readPages(flow, { id: '7', startedAt })
  await readPages(flow, { id: '8', startedAt })
  await readPages(flow)
  await readPages(flow)
  const keys = exporter.starts.map(({ headers }) => headers['idempotency-key'])
  expect(keys).toHaveLength(6)
  expect(keys[2]).toBe(keys[0])
  expect(new Set(keys).size).toBe(5)
  expect(keys[0]).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-a[\da-f]{3}-[\da-f]{12}$/)
})
