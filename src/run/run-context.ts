import { openScope } from '../read/open-scope.ts'
import type { Pipeline } from '../define/pipeline.ts'
import type { Database } from '../database/database.ts'
import { LinkedSignal } from '../flow/signals/linked-signal.ts'
import { MemoryBudget } from '../flow/memory-budget.ts'
import { WorkerPool } from '../flow/worker-pool.ts'
import { LeaseKeeper } from '../ledger/lease/lease-keeper.ts'
import { finishRun, startRun } from '../ledger/runs.ts'
import { sharedRates } from '../ledger/shared-rates.ts'
import { dropOrphanShadows } from '../load/shadow.ts'
import { CancelledError } from '../model/errors.ts'
import type { RunEvent } from '../model/event.ts'
import type { Report, StreamReport } from '../model/report.ts'
import type { Scope, Secrets } from '../model/scope.ts'
import type { RunKind } from '../model/slice.ts'
import { readSecrets } from '../observe/secrets.ts'
import { ProgressMeter } from './progress-meter.ts'
import type { SyncSliceOptions } from './sync/sync-slice.ts'
import { openStore } from './open-store.ts'
import { defaults, type RunOptions } from './options.ts'
import { runSignals } from './signals.ts'
import { StreamTally } from './report/stream-tally.ts'
import { walPosition, walSince } from './report/wal.ts'
import { messageOf } from '../value/error.ts'

export interface RunContextOptions extends Pick<
  RunOptions,
  'database' | 'environment' | 'memory' | 'onEvent' | 'signal'
> {
  /** To the database, at once. @default 10 */
  readonly connections?: number
  /** Those that were looked up already: what is known to be one is hidden. @default those of the environment */
  readonly secrets?: Secrets
}

/**
 * What runs of every kind have in common: the store, the signals that end them and, once `begin` was called, everything
 * that moving slices takes.
 */
export interface RunContext extends AsyncDisposable {
  readonly database: Database
  readonly secrets: Secrets
  /** Aborts when the run is to end; `writing` some seconds later, so that what is whole can be committed. */
  readonly reading: AbortSignal
  readonly writing: AbortSignal
  /** Note in the ledger that a run has begun. Once. */
  readonly begin: (asked: RunStart) => Promise<ActiveRun>
}

export interface RunStart {
  readonly kind: RunKind
  readonly streams: readonly string[]
  /** What it was asked to do, for those who look; no secrets. */
  readonly options: Readonly<Record<string, unknown>>
}

/** A run that goes on. */
export interface ActiveRun {
  readonly run: string
  readonly keeper: LeaseKeeper
  readonly emit: (event: RunEvent) => void
  readonly gauge: (stream: string) => StreamTally
  /** The slices that are being read, each with what ends its reading when it turns out to be somebody else's. */
  readonly losing: Map<string, (reason: string) => void>
  /**
   * What moving a slice of a stream takes; `memory` is what this reader holds of the one budget of the run, to be given
   * back.
   */
  readonly lend: (
    stream: string,
  ) => Pick<SyncSliceOptions, 'database' | 'workers' | 'writing' | 'metered'> & { readonly scope: Scope } & Disposable
  /** Note that it has ended, and tell what happened. */
  readonly end: (streams: readonly (readonly [name: string, stream: StreamReport])[]) => Promise<Report>
}

export async function openRun(
  pipeline: Pipeline,
  {
    environment = process.env,
    memory = defaults.memory,
    connections,
    secrets = readSecrets(environment),
    ...options
  }: RunContextOptions,
): Promise<RunContext> {
  const startedAt = new Date()
  const began = performance.now()
  await using opening = new AsyncDisposableStack()
  const stop = opening.use(new LinkedSignal(options.signal))
  const { reading, writing } = opening.use(runSignals(stop.signal))
  const { database } = opening.use(
    await openStore({
      database: options.database,
      environment,
      signal: reading,
      ...(connections !== undefined && { max: connections }),
    }),
  )
  const opened = opening.move()

  const begin = async ({ kind, streams: names, options: asked }: RunStart): Promise<ActiveRun> => {
    const gauges = new Map(names.map((name) => [name, new StreamTally(pipeline.streams[name]!.table.name)]))
    const losing = new Map<string, (reason: string) => void>()
    const keeper = opened.use(
      await LeaseKeeper.open(database, {
        signal: writing,
        onLost: (slice, reason) => losing.get(slice)?.(reason),
        onStop: (run) => stop.abort(new CancelledError(`run ${run} was asked to end`)),
      }),
    )
    const run = await startRun(database, {
      kind,
      pipeline: pipeline.name,
      options: { streams: names, ...asked },
      keeper,
      signal: reading,
    })
    const budget = new MemoryBudget(memory)
    const meter = opened.use(
      new ProgressMeter({ streams: names, memory: budget, tell: (gauge) => keeper.emit(run, gauge) }),
    )
    const emit = (event: RunEvent): void => {
      if ('stream' in event && event.stream !== undefined) gauges.get(event.stream)?.event(event)
      meter.event(event)
      keeper.emit(run, event)
      options.onEvent?.(event)
    }
    const walBefore = await walPosition(database, reading)
    await tidy(database, { emit, signal: reading })
    const workers = opened.use(new WorkerPool())
    const scope = opened.use(openScope({ signal: reading, secrets, emit, rates: sharedRates(database, { keeper }) }))
    const client = meter.client(scope.client)
    emit({ type: 'run.started', run, pipeline: pipeline.name, streams: names, kind })
    return {
      run,
      keeper,
      emit,
      losing,
      gauge: (stream) => gauges.get(stream)!,
      lend: (stream) => {
        const account = budget.account()
        return {
          database,
          workers,
          writing,
          metered: (slice) => meter.reading(stream, slice),
          scope: { ...scope, client, stream, memory: account },
          [Symbol.dispose]: () => account[Symbol.dispose](),
        }
      },
      end: async (streams) => {
        const status = reading.aborted
          ? 'interrupted'
          : streams.some(([, stream]) => stream.status === 'failed')
            ? 'failed'
            : 'done'
        const ms = performance.now() - began
        const walBytes = walBefore === undefined ? undefined : await walSince(database, walBefore, writing)
        const report: Report = {
          run,
          pipeline: pipeline.name,
          kind,
          status,
          startedAt: startedAt.toISOString(),
          ms: Math.round(ms),
          streams: Object.fromEntries(streams),
          rowsPerSecond: Math.round(
            streams.reduce((sum, [, { counts }]) => sum + counts.fetched + counts.expanded, 0) / (ms / 1_000),
          ),
          ...(walBytes !== undefined && { walBytes }),
          peakMemoryBytes: process.resourceUsage().maxRSS * 1_024,
        }
        meter.last()
        emit({ type: 'run.finished', run, status })
        const error = streams
          .flatMap(([name, stream]) => (stream.error === undefined ? [] : [`${name}: ${stream.error}`]))
          .join('\n')
        // What was committed is: that the run could not be closed must not hide what it did. The next run notes that
        // this one has ended.
        await finishRun(database, run, {
          status,
          report,
          keeper,
          signal: writing.aborted ? AbortSignal.timeout(1_000) : writing,
          ...(error && { error }),
        }).catch((cause: unknown) =>
          emit({
            type: 'warning',
            message: `the end of run ${run} could not be noted: ${messageOf(cause)}`,
          }),
        )
        return report
      },
    }
  }
  return { database, secrets, reading, writing, begin, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

/** Shadows that a killed run has left. One that may not be dropped is somebody else's, and in nobody's way. */
async function tidy(
  database: Database,
  { emit, signal }: { emit: (event: RunEvent) => void; signal: AbortSignal },
): Promise<void> {
  try {
    await dropOrphanShadows(database, { signal })
  } catch (error) {
    signal.throwIfAborted()
    emit({
      type: 'warning',
      message: `shadow tables of earlier runs could not be dropped: ${messageOf(error)}`,
    })
  }
}
