import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Counter, Gauge, Registry } from 'prom-client'
import { readCursors } from '../ledger/cursors.ts'
import type { StoredEvent } from '../ledger/read/read-events.ts'
import { countRejects } from '../ledger/read/read-rejects.ts'
import type { RunEvent, RunGauge, StreamState } from '../model/event.ts'
import { cursorAgeMs } from '../run/status/cursor-age.ts'
import type { Context } from './context.ts'

/**
 * Metrics of all runs, whoever started them, by the events of the ledger since this server began; of cursors and
 * rejects, and of this process.
 */
export interface Metrics extends Disposable {
  readonly contentType: string
  /** As Prometheus reads them. */
  readonly text: () => Promise<string>
}

const sums = ['requests', 'bytes', 'retries', 'waitMs', 'batches'] as const
const outcomes = ['inserted', 'updated', 'unchanged', 'filtered', 'duplicate', 'rejected'] as const
type Sums = Pick<StreamState, (typeof sums)[number]>
const WORD_MS = 10_000
const nothing: Sums = { requests: 0, bytes: 0, retries: 0, waitMs: 0, batches: 0 }

export function openMetrics({
  database,
  hub,
  runner,
  pipelines,
  openStreams,
}: Pick<Context, 'database' | 'hub' | 'runner' | 'pipelines' | 'openStreams'>): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const stream = ['pipeline', 'stream'] as const
  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
    new Counter({ name: `sluice_${name}`, help, labelNames, registers })
  const gauge = <Label extends string>(name: string, help: string, labelNames: readonly Label[] = []) =>
    new Gauge({ name: `sluice_${name}`, help, labelNames, registers })

  const rows = counter('rows_total', 'Records that were committed, by what became of them', [...stream, 'outcome'])
  const totals = {
    requests: counter('requests_total', 'Requests that were answered', stream),
    bytes: counter('bytes_total', 'Bytes of decoded answers', stream),
    retries: counter('retries_total', 'Requests that were sent again', stream),
    waitMs: counter('wait_seconds_total', "Waited for the API's limits", stream),
    batches: counter('batches_total', 'Transactions that stored a batch', stream),
  }
  const rejects = counter('rejects_total', 'Records that could not be stored', stream)
  const ended = counter('runs_total', 'Runs that have ended', ['pipeline', 'status'])
  const going = gauge('runs_running', 'Runs that go on', ['pipeline'])
  const ahead = gauge(
    'pages_ahead',
    'Pages that were read and are not committed: the queue between API and table',
    stream,
  )
  const underWay = gauge('requests_under_way', 'Requests on their way', stream)
  const memory = gauge('memory_bytes', 'Decoded pages that a run holds', ['pipeline'])
  const lag = gauge('cursor_lag_seconds', 'How far a cursor is behind the clock, where it is a time', stream)
  const age = gauge('cursor_age_seconds', 'How long ago a cursor moved', stream)
  const waiting = gauge('rejects_waiting', 'Rejects that were not replayed', stream)
  const loop = gauge(
    'event_loop_delay_seconds',
    'By how much the event loop of this server was late since the last scrape',
    ['quantile'],
  )
  const pool = gauge('pool_connections', "This server's connections to the database", ['state'])
  const here = gauge('server_runs', 'Runs that this server was asked for, and that go on')
  const answers = gauge('server_answers', 'Answers of this server that go on', ['kind'])
  const delay = monitorEventLoopDelay({ resolution: 10 })
  delay.enable()

  const seen = new Map<string, Map<string, Sums>>()
  const alive = new Map<string, string>()
  const gone = new Map<string, number>()

  const onGauge = (run: string, pipeline: string, { memory: { used }, streams }: RunGauge): void => {
    const before = seen.get(run) ?? new Map<string, Sums>()
    seen.set(run, before)
    alive.set(run, pipeline)
    memory.set({ pipeline }, used)
    for (const [name, state] of Object.entries(streams)) {
      const labels = { pipeline, stream: name }
      const last = before.get(name) ?? nothing
      for (const sum of sums)
        totals[sum].inc(labels, Math.max(0, state[sum] - last[sum]) / (sum === 'waitMs' ? 1_000 : 1))
      before.set(name, state)
      ahead.set(labels, state.ahead)
      underWay.set(labels, state.underWay)
    }
  }
  const onEvent = (run: string, pipeline: string, event: RunEvent): void => {
    if (event.type === 'gauge') onGauge(run, pipeline, event)
    else if (event.type === 'run.started') alive.set(run, pipeline)
    else if (event.type === 'batch.committed') {
      const labels = { pipeline, stream: event.stream }
      for (const outcome of outcomes)
        if (event.counts[outcome] > 0) rows.inc({ ...labels, outcome }, event.counts[outcome])
      rejects.inc(labels, event.counts.rejected)
    } else if (event.type === 'run.finished') {
      ended.inc({ pipeline, status: event.status })
      for (const name of seen.get(run)?.keys() ?? [])
        for (const queue of [ahead, underWay]) queue.set({ pipeline, stream: name }, 0)
      memory.set({ pipeline }, 0)
      seen.delete(run)
      alive.delete(run)
      gone.delete(run)
    }
  }
  const hearing = hub.subscribe(({ run, pipeline, event }: StoredEvent) => {
    if (run !== undefined && pipeline !== undefined) onEvent(run, pipeline, event)
  })

  const look = async (): Promise<void> => {
    const now = new Date()
    const [cursors, rejected, running] = await Promise.all([
      readCursors(database),
      countRejects(database),
      database.query<{ pipeline: string; id: string }>(
        `select pipeline, id from sluice.runs as r where status = 'running' and sluice.is_alive(r)`,
      ),
    ])
    for (const one of [lag, age, waiting, going]) one.reset()
    for (const { pipeline, stream: name, value, updatedAt } of cursors) {
      const behind = cursorAgeMs(value, pipelines.get(pipeline)?.streams[name]?.recipe.incremental?.unit, now)
      if (behind !== undefined) lag.set({ pipeline, stream: name }, behind / 1_000)
      age.set({ pipeline, stream: name }, (now.getTime() - updatedAt.getTime()) / 1_000)
    }
    for (const { pipeline, stream: name, rejects: count } of rejected) waiting.set({ pipeline, stream: name }, count)
    for (const { pipeline } of running) going.inc({ pipeline })
    // A process that died says nothing more: its queues are nobody's. The word of one that has just ended may still be
    // on its way.
    for (const [run, pipeline] of alive) {
      if (running.some(({ id }) => id === run)) gone.delete(run)
      else if (now.getTime() - (gone.get(run) ?? gone.set(run, now.getTime()).get(run)!) > WORD_MS)
        onEvent(run, pipeline, { type: 'run.finished', run, status: 'interrupted' })
    }
  }
  const measure = (): void => {
    for (const [quantile, ns] of [
      ['0.5', delay.percentile(50)],
      ['0.99', delay.percentile(99)],
      ['1', delay.max],
    ] as const)
      loop.set({ quantile }, ns / 1e9)
    delay.reset()
    pool.set({ state: 'in use' }, database.inUse)
    pool.set({ state: 'waited for' }, database.waiting)
    here.set(runner.underWay)
    answers.set({ kind: 'events' }, openStreams.watchers)
    answers.set({ kind: 'export' }, openStreams.exports)
  }
  return {
    contentType: registry.contentType,
    async text() {
      await look()
      measure()
      return registry.metrics()
    },
    [Symbol.dispose]() {
      hearing[Symbol.dispose]()
      delay.disable()
      registry.clear()
    },
  }
}
