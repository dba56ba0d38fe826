import type { Database } from '../database/database.ts'
import { openScope } from '../define/open-scope.ts'
import { secretsIn } from '../define/secrets-in.ts'
import type { Flow } from '../define/flow.ts'
import type { Flows, Pipeline } from '../define/pipeline.ts'
import { MemoryBudget } from '../flow/memory-budget.ts'
import { Semaphore } from '../flow/semaphore.ts'
import { WorkerPool } from '../flow/worker-pool.ts'
import { Keeper } from '../ledger/keeper.ts'
import { closeRun, openRun } from '../ledger/runs.ts'
import { dropOrphanShadows } from '../load/shadow.ts'
import { UsageError } from '../model/errors.ts'
import type { RunEvent } from '../model/event.ts'
import type { Report, StreamReport } from '../model/report.ts'
import type { Secrets } from '../model/scope.ts'
import { readSecrets } from '../observe/secrets.ts'
import { openStore } from './open-store.ts'
import { defaults, type RunOptions } from './options.ts'
import { runStream } from './run-stream.ts'
import { runSignals } from './signals.ts'
import { StreamGauge } from './stream-gauge.ts'
import { walPosition, walSince } from './wal.ts'

/**
 * Bring the tables of a pipeline up to date, and answer what happened. A stream that fails leaves the others running: the report names it.
 * Throws only where nothing could begin: wrong options, a missing secret, no database.
 *
 * An aborted `signal` ends it within 5 s; what is whole is committed first, and the next run goes on from there.
 *
 * @example
 * const report = await run(billing, { database: 'postgres://localhost/warehouse' })
 * console.log(report.streams.customers.counts.inserted)
 */
export async function run<Streams extends Flows>(pipeline: Pipeline<Streams>, options: RunOptions = {}): Promise<Report<keyof Streams & string>> {
  const startedAt = new Date()
  const began = performance.now()
  const { full = false, overlap = 'fail', concurrency = defaults.concurrency, environment = process.env, memory = defaults.memory } = options
  const names = chosen(pipeline, options.streams)
  const limits = { ...defaults.batch, ...options.batch }
  const secrets = readSecrets(environment)
  for (const name of names) requireSecrets(pipeline.streams[name]!, secrets, `${pipeline.name}.${name}`)
  using signals = runSignals(options.signal)
  const { reading, writing } = signals

  const gauges = new Map(names.map((name) => [name, new StreamGauge(pipeline.streams[name]!.table.name)]))
  await using store = await openStore({ database: options.database, environment, max: names.length + 4, signal: reading })
  const { database } = store
  const losing = new Map<string, () => void>()
  await using keeper = await Keeper.open(database, { signal: writing, lost: (slice) => losing.get(slice)?.() })
  const id = await openRun(database, { kind: 'sync', pipeline: pipeline.name, options: { streams: names, full }, keeper, signal: reading })
  const emit = (event: RunEvent): void => {
    if ('stream' in event && event.stream !== undefined) gauges.get(event.stream)?.event(event)
    keeper.tell(id, event)
    options.on?.(event)
  }
  const walBefore = await walPosition(database, reading)
  await tidy(database, { emit, signal: reading })
  const budget = new MemoryBudget(memory)
  const permits = new Semaphore(concurrency)
  await using workers = new WorkerPool()
  await using scope = openScope({ signal: reading, secrets, emit })
  emit({ type: 'run started', run: id, pipeline: pipeline.name, streams: names })

  const one = async (stream: string): Promise<StreamReport> => {
    const { recipe, table } = pipeline.streams[stream]!
    const gauge = gauges.get(stream)!
    const permit = await permits.acquire({ signal: reading }).catch(() => undefined)
    if (!permit) return gauge.report('interrupted')
    using _permit = permit
    using account = budget.account()
    return await runStream({
      database, run: id, keeper, pipeline: pipeline.name, stream, recipe, table, full, overlap, limits, writing, workers, gauge, emit, losing,
      scope: { ...scope, stream, memory: account }, failed: options.failed,
    })
  }
  // Each on its own: one that fails must not stop the others.
  const streams = await Promise.all(names.map(async (name) => [name, await one(name)] as const))

  const status = reading.aborted ? 'interrupted' : streams.some(([, stream]) => stream.status === 'failed') ? 'failed' : 'done'
  const ms = performance.now() - began
  const walBytes = walBefore === undefined ? undefined : await walSince(database, walBefore, writing)
  const report: Report<keyof Streams & string> = {
    run: id, pipeline: pipeline.name, kind: 'sync', status, startedAt: startedAt.toISOString(), ms: Math.round(ms),
    streams: Object.fromEntries(streams) as Report<keyof Streams & string>['streams'],
    rowsPerSecond: Math.round(streams.reduce((sum, [, { counts }]) => sum + counts.fetched + counts.expanded, 0) / (ms / 1_000)),
    ...(walBytes !== undefined && { walBytes }),
    peakMemoryBytes: process.resourceUsage().maxRSS * 1_024,
  }
  emit({ type: 'run finished', run: id, status })
  const error = streams.flatMap(([name, stream]) => (stream.error === undefined ? [] : [`${name}: ${stream.error}`])).join('\n')
  // What was committed is: that the run could not be closed must not hide what it did. The next run notes that this one has ended.
  await closeRun(database, id, { status, report, keeper, signal: writing.aborted ? AbortSignal.timeout(1_000) : writing, ...(error && { error }) })
    .catch((cause: unknown) => emit({ type: 'warning', message: `the end of run ${id} could not be noted: ${cause instanceof Error ? cause.message : String(cause)}` }))
  return report
}

/** Shadows that a killed run has left. One that may not be dropped is somebody else's, and in nobody's way. */
async function tidy(database: Database, { emit, signal }: { emit: (event: RunEvent) => void; signal: AbortSignal }): Promise<void> {
  try {
    await dropOrphanShadows(database, { signal })
  } catch (error) {
    signal.throwIfAborted()
    emit({ type: 'warning', message: `shadow tables of earlier runs could not be dropped: ${error instanceof Error ? error.message : String(error)}` })
  }
}

function chosen({ name, streams }: Pipeline, asked: readonly string[] | undefined): string[] {
  const names = Object.keys(streams)
  const unknown = asked?.filter((stream) => !names.includes(stream)) ?? []
  if (unknown.length > 0) throw new UsageError(`${name} has no stream ${unknown.map((stream) => `'${stream}'`).join(', ')}: it has ${names.join(', ')}`)
  return asked && asked.length > 0 ? names.filter((stream) => asked.includes(stream)) : names
}

/** A secret that is missing is known before anything is asked. */
function requireSecrets({ recipe }: Flow<unknown>, secrets: Secrets, place: string): void {
  for (const name of secretsIn(recipe)) {
    try {
      secrets.value(name)
    } catch (cause) {
      throw new UsageError(`${place}: ${(cause as Error).message}`, { cause })
    }
  }
}
