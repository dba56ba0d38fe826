import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Counter, Gauge, Registry } from 'prom-client'
import { readCursors } from '../ledger/cursors.ts'
import type { StoredEvent } from '../ledger/read/read-events.ts'
import { readOpenReadings } from '../ledger/read/read-open-readings.ts'
import { countRejects } from '../ledger/read/read-rejects.ts'
import { readStreams } from '../ledger/read/read-streams.ts'
import { readWork, type Work } from '../ledger/read/read-work.ts'
import { GRADES } from '../model/completeness.ts'
import type { RunEvent, RunGauge, StreamState } from '../model/event.ts'
import { cursorAgeMs } from '../run/status/cursor-age.ts'
import type { Metric, MetricValues } from '../observe/telemetry/export-metrics.ts'
import type { Context } from './context.ts'

/** Metrics of all runs (from their events since the server started), of cursors, rejects and this process. */
export interface Metrics extends Disposable {
  readonly contentType: string
  /** Returns the metrics in the text format of Prometheus. */
  readonly text: () => Promise<string>
  /** Names and kinds of all metrics. */
  readonly known: readonly Metric[]
  /** Returns the values of the same metrics. */
  readonly read: () => Promise<readonly MetricValues[]>
}

const SUMS = ['requests', 'bytes', 'retries', 'waitMs', 'batches'] as const
const OUTCOMES = ['inserted', 'updated', 'unchanged', 'filtered', 'duplicate', 'deleted', 'rejected'] as const
const ENDED = ['done', 'failed', 'interrupted'] as const
type Sums = Pick<StreamState, (typeof SUMS)[number]>
/** The last events of a run that has ended may be this late. */
const FINAL_EVENT_DELAY_MS = 10_000
const NO_SUMS: Sums = { requests: 0, bytes: 0, retries: 0, waitMs: 0, batches: 0 }

export function openMetrics({
  database,
  hub,
  runner,
  served,
  openStreams,
}: Pick<Context, 'database' | 'hub' | 'runner' | 'served' | 'openStreams'>): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const stream = ['pipeline', 'stream'] as const
  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
    new Counter({ name: `sluice_${name}`, help, labelNames, registers })
  const gauge = <Label extends string>(name: string, help: string, labelNames: readonly Label[] = []) =>
    new Gauge({ name: `sluice_${name}`, help, labelNames, registers })

  const rows = counter('rows_total', 'Committed records by outcome', [...stream, 'outcome'])
  const totals = {
    requests: counter('requests_total', 'Answered requests', stream),
    bytes: counter('bytes_total', 'Bytes of decoded responses', stream),
    retries: counter('retries_total', 'Repeated requests', stream),
    waitMs: counter('wait_seconds_total', "Time spent waiting for the API's limits", stream),
    batches: counter('batches_total', 'Committed batches', stream),
  }
  const rejects = counter('rejects_total', 'Rejected records', stream)
  const ended = counter('runs_total', 'Finished runs', ['pipeline', 'status'])
  const going = gauge('runs_running', 'Runs under way', ['pipeline'])
  const ahead = gauge('pages_ahead', 'Pages that were read and are not committed yet', stream)
  const underWay = gauge('requests_under_way', 'Requests under way', stream)
  const memory = gauge('memory_bytes', 'Memory of decoded pages that a run holds', ['pipeline'])
  const lag = gauge('cursor_lag_seconds', 'Time that a cursor is behind the clock, if its value is a time', stream)
  const age = gauge('cursor_age_seconds', 'Time since a cursor moved', stream)
  const waiting = gauge('rejects_waiting', 'Rejects that are not replayed yet', stream)
  const completeness = gauge(
    'stream_completeness',
    'Completeness of the last reading of a stream that came to its end: 1 for its grade, 0 for the others',
    [...stream, 'grade'],
  )
  const open = gauge(
    'open_readings',
    'Readings and windows that may have missed records, and that no later reading covers',
    stream,
  )
  const accounts = gauge('accounts', 'Accounts of a pipeline, by whether they can run: ready or failed', [
    'pipeline',
    'state',
  ])
  const readable = gauge('accounts_readable', '1 if the accounts of a pipeline could be read, else 0', ['pipeline'])
  const workers = gauge('workers', 'Workers that are alive: working, or draining, which take no more work', ['state'])
  const piecesRunning = gauge('pieces_running', 'Pieces of work that workers do', ['pipeline'])
  const piecesWaiting = gauge('pieces_waiting', 'Pieces of work that wait for a worker', ['pipeline'])
  const piecesWithoutWorker = gauge(
    'pieces_without_worker',
    'Pieces of work that wait for a version of their pipeline that no worker has',
    ['pipeline'],
  )
  const piecesAge = gauge('pieces_waiting_seconds', 'Time that the oldest waiting piece of work has waited', [
    'pipeline',
  ])
  const loop = gauge('event_loop_delay_seconds', 'Delay of the event loop of this server since the last scrape', [
    'quantile',
  ])
  const pool = gauge('pool_connections', 'Connections of this server to the database', ['state'])
  const here = gauge('server_runs', 'Runs under way that requests to this server started')
  const answers = gauge('server_answers', 'Streamed answers of this server', ['kind'])
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
      const last = before.get(name) ?? NO_SUMS
      for (const sum of SUMS)
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
      for (const outcome of OUTCOMES)
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
  const subscription = hub.subscribe(({ run, pipeline, event }: StoredEvent) => {
    if (run !== undefined && pipeline !== undefined) onEvent(run, pipeline, event)
  })

  const readLedger = async (): Promise<void> => {
    const now = new Date()
    const [cursors, rejected, streams, openReadings, work, running] = await Promise.all([
      readCursors(database),
      countRejects(database),
      readStreams(database, { runs: 0 }),
      readOpenReadings(database),
      readWork(database),
      database.query<{ pipeline: string; id: string }>(
        `select pipeline, id from sluice.runs as r where status = 'running' and sluice.is_alive(r)`,
      ),
    ])
    for (const one of [lag, age, waiting, going, completeness, open]) one.reset()
    for (const { pipeline, stream: name, value, updatedAt } of cursors) {
      const behind = cursorAgeMs(value, served.byName.get(pipeline)?.streams[name]?.recipe.incremental?.unit, now)
      if (behind !== undefined) lag.set({ pipeline, stream: name }, behind / 1_000)
      age.set({ pipeline, stream: name }, (now.getTime() - updatedAt.getTime()) / 1_000)
    }
    for (const { pipeline, stream: name, rejects: count } of rejected) waiting.set({ pipeline, stream: name }, count)
    for (const { pipeline, stream: name, completeness: last } of streams) {
      const labels = { pipeline, stream: name }
      open.set(labels, 0)
      if (last) for (const grade of GRADES) completeness.set({ ...labels, grade }, grade === last.grade ? 1 : 0)
    }
    for (const { pipeline, stream: name, readings } of openReadings) open.inc({ pipeline, stream: name }, readings)
    for (const { pipeline } of running) going.inc({ pipeline })
    measureWork(work, now)
    // Reset the gauges of crashed runs. Wait 10 s, because the final event of a finished run may be delayed.
    for (const [run, pipeline] of alive) {
      if (running.some(({ id }) => id === run)) {
        gone.delete(run)
        continue
      }
      const goneSince = gone.get(run) ?? now.getTime()
      gone.set(run, goneSince)
      if (now.getTime() - goneSince > FINAL_EVENT_DELAY_MS)
        onEvent(run, pipeline, { type: 'run.finished', run, status: 'interrupted' })
    }
  }
  const measureWork = (work: Work | undefined, now: Date): void => {
    const perPipeline = [piecesRunning, piecesWaiting, piecesWithoutWorker, piecesAge]
    for (const one of [workers, ...perPipeline]) one.reset()
    if (!work) return
    const draining = work.workers.filter(({ isDraining }) => isDraining).length
    workers.set({ state: 'draining' }, draining)
    workers.set({ state: 'working' }, work.workers.length - draining)
    const oldest = new Map<string, number>()
    for (const { pipeline, pieces, since, workers: able } of work.waiting ?? []) {
      piecesWaiting.inc({ pipeline }, pieces)
      piecesWithoutWorker.inc({ pipeline }, able.length === 0 ? pieces : 0)
      oldest.set(pipeline, Math.max(oldest.get(pipeline) ?? 0, (now.getTime() - since.getTime()) / 1_000))
    }
    for (const [pipeline, seconds] of oldest) piecesAge.set({ pipeline }, seconds)
    for (const { pieces } of work.workers) for (const { pipeline } of pieces) piecesRunning.inc({ pipeline })
  }
  const measureProcess = (): void => {
    // `increase()` of Prometheus sees no first failure without the counter before it.
    for (const { name, streams } of served.byName.values()) {
      for (const status of ENDED) ended.inc({ pipeline: name, status }, 0)
      for (const each of Object.keys(streams)) rejects.inc({ pipeline: name, stream: each }, 0)
    }
    for (const { definition, known, problem } of served.accounts) {
      const { name } = definition
      accounts.set({ pipeline: name, state: 'ready' }, known.pipelines.length)
      accounts.set({ pipeline: name, state: 'failed' }, known.failed.length)
      readable.set({ pipeline: name }, problem ? 0 : 1)
    }
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
  const measure = async (): Promise<void> => {
    await readLedger()
    measureProcess()
  }
  return {
    contentType: registry.contentType,
    known: registry.getMetricsAsArray().map(({ name, help, type }) => ({ name, help, type: String(type) })),
    async text() {
      await measure()
      return registry.metrics()
    },
    async read() {
      await measure()
      return registry.getMetricsAsJSON()
    },
    [Symbol.dispose]() {
      subscription[Symbol.dispose]()
      delay.disable()
      registry.clear()
    },
  }
}
