import { MemoryBudget } from '../flow/memory-budget.ts'
import { TaskGroup } from '../flow/task-group.ts'
import { WorkerPool } from '../flow/worker-pool.ts'
import { LeaseKeeper } from '../ledger/lease/lease-keeper.ts'
import type { PieceAttempt } from '../ledger/pieces.ts'
import { pruneHourly, pruneWhenDue } from '../ledger/prune.ts'
import type { Pause } from '../ledger/pauses.ts'
import { finishRun, startRun } from '../ledger/runs.ts'
import { storedTokens } from '../ledger/credentials.ts'
import { sharedRates } from '../ledger/shared-rates.ts'
import { dropOrphanMirrors } from '../load/mirror/drop-orphan-mirrors.ts'
import { dropOrphanShadows } from '../load/shadow.ts'
import { CancelledError } from '../model/errors.ts'
import type { RunEvent } from '../model/event.ts'
import type { Recipe } from '../model/recipe.ts'
import type { Report, StreamReport } from '../model/report.ts'
import type { JoinedList, Scope } from '../model/scope.ts'
import type { RunKind } from '../model/slice.ts'
import { traceRun, type RunTrace } from '../observe/telemetry/run-trace.ts'
import { openScope } from '../read/open-scope.ts'
import { sharedLists } from './shared-lists.ts'
import { messageOf } from '../value/error.ts'
import { ProgressMeter } from './progress-meter.ts'
import { PauseWatch } from './pause-watch.ts'
import { makeReport } from './report/make-report.ts'
import { StreamTally } from './report/stream-tally.ts'
import { walPosition, walSince } from './report/wal.ts'
import type { RunContext } from './run-context.ts'

export interface RunStart {
  readonly kind: RunKind
  /** Streams of the pipeline that this run works on. */
  readonly streams: readonly string[]
  /** Options of the run as the ledger shows them. They hold no secrets. */
  readonly options: Readonly<Record<string, unknown>>
  /** Pauses that hold when it starts. @default none are known yet */
  readonly pauses?: readonly Pause[]
  /** The piece of work that this run does for another process. @default none */
  readonly piece?: PieceAttempt | undefined
  /** The worker that reads windows in this run. @default none, or that of the piece */
  readonly worker?: string | undefined
}

/**
 * A run that the ledger knows. Its streams share what is opened here: the lease keeper, the worker threads, the memory
 * budget and the clients of each API.
 *
 * Order of calls: `start`, `finishStream` once for each stream, `finish`, dispose.
 */
export class ActiveRun implements AsyncDisposable {
  readonly id: string
  readonly context: RunContext
  readonly keeper: LeaseKeeper
  readonly workers: WorkerPool
  readonly meter: ProgressMeter
  readonly #start: RunStart
  readonly #memory: MemoryBudget
  readonly #scope: Scope
  readonly #tallies: ReadonlyMap<string, StreamTally>
  readonly #reports = new Map<string, StreamReport>()
  readonly #lossHandlers: LossHandlers
  readonly #sharedLists: ReadonlyMap<object, JoinedList>
  readonly #pauses: PauseWatch
  readonly #trace: RunTrace | undefined
  #walBefore: string | undefined
  #resources: AsyncDisposableStack

  private constructor(context: RunContext, start: RunStart, { id, keeper, lossHandlers, trace, resources }: Opened) {
    const { pipeline, database, secrets, readSignal } = context
    this.id = id
    this.context = context
    this.keeper = keeper
    this.#start = start
    this.#lossHandlers = lossHandlers
    this.#trace = trace
    this.#resources = resources
    const tables = Object.entries(pipeline.streams).filter(([name]) => start.streams.includes(name))
    this.#tallies = new Map(tables.map(([name, { table }]) => [name, new StreamTally(table)]))
    this.#memory = new MemoryBudget(context.memoryLimit)
    this.meter = resources.use(
      new ProgressMeter({ streams: start.streams, memory: this.#memory, onGauge: (gauge) => keeper.emit(id, gauge) }),
    )
    this.#sharedLists =
      start.kind === 'sync' ? sharedLists(pipeline.streams, start.streams, this.#memory.spare) : new Map()
    this.workers = resources.use(new WorkerPool())
    this.#pauses = resources.use(
      new PauseWatch(database, { pipeline: pipeline.name, streams: start.streams, keeper, readSignal }),
    )
    this.#pauses.apply(start.pauses ?? [])
    const rates = sharedRates(database, { keeper, run: id })
    const tokens = storedTokens({ database: async () => database, secrets })
    const scope = resources.use(
      openScope({ signal: readSignal, secrets, emit: this.emit, rates, tokens, account: pipeline.account }),
    )
    this.#scope = { ...scope, client: this.meter.client(scope.client) }
  }

  /** Records the run in the ledger and drops what killed runs have left: shadow tables, and keys for mirrors. */
  static async start(context: RunContext, start: RunStart): Promise<ActiveRun> {
    const { database, pipeline, readSignal, writeSignal } = context
    const { kind, streams, options, piece, worker } = start
    await using resources = new AsyncDisposableStack()
    const lossHandlers: LossHandlers = new Map()
    const keeper = resources.use(
      await LeaseKeeper.open(database, {
        signal: writeSignal,
        onLost: (slice, reason) => lossHandlers.get(slice)?.(reason),
        onStop: (run, isTaken) => context.stop(new CancelledError(stopText(run, isTaken))),
      }),
    )
    const recorded = { kind, pipeline: pipeline.name, options: { streams, ...options } }
    const id = await startRun(database, { ...recorded, keeper, piece, worker, signal: readSignal })
    const trace = await traceRun({
      run: id,
      kind,
      pipeline: pipeline.name,
      startedAt: context.startedAt,
      tableOf: (stream) => pipeline.streams[stream]?.table.name,
      pathOf: (stream) => ownPath(pipeline.streams[stream]?.recipe),
    })
    resources.use(trace)
    const run = new ActiveRun(context, start, { id, keeper, lossHandlers, trace, resources })
    run.#walBefore = await walPosition(database, readSignal)
    await run.#dropOrphans()
    const pruning = resources.use(new TaskGroup({ signal: readSignal }))
    pruning.spawn((signal) => pruneHourly(database, context.retention, { onError: run.#warnOfPruning, signal }))
    run.emit({ type: 'run.started', run: id, pipeline: pipeline.name, streams, kind })
    run.#resources = resources.move()
    return run
  }

  /** Passes an event to the stream's tally, the progress meter, the ledger, the trace and the caller of the run. */
  readonly emit = (event: RunEvent): void => {
    if ('stream' in event && event.stream !== undefined) this.#tallies.get(event.stream)?.event(event)
    this.meter.event(event)
    this.keeper.emit(this.id, event)
    if (this.#trace) this.#trace.event(event, () => this.context.onEvent?.(event))
    else this.context.onEvent?.(event)
  }

  /** Returns the counts of one of the run's streams. */
  tally(stream: string): StreamTally {
    const tally = this.#tallies.get(stream)
    if (!tally) throw new TypeError(`Stream ${stream} is not a part of this run`)
    return tally
  }

  /** Returns the signal of one of the run's streams. It aborts when the run is to stop, or when it is paused. */
  signalOf(stream: string): AbortSignal {
    return this.#pauses.signalOf(stream)
  }

  /** Opens the scope of the reader of a slice: the run's clients, and an account of its own in the memory budget. */
  openScope(stream: string, slice: string, signal: AbortSignal): Scope & Disposable {
    const trace = this.#trace
    const client = trace?.client(this.#scope.client, slice) ?? this.#scope.client
    const memory = this.#memory.account()
    const sharedList = (source: object): JoinedList | undefined => this.#sharedLists.get(source)
    const dispose = (): void => {
      trace?.leave(slice, this.signalOf(stream).aborted ? 'interrupted' : 'failed')
      memory[Symbol.dispose]()
    }
    return { ...this.#scope, client, signal, stream, memory, sharedList, [Symbol.dispose]: dispose }
  }

  /** Calls `onLost` with the reason if the keeper finds that this run no longer holds the slice. */
  watchSlice(slice: string, onLost: (reason: string) => void): Disposable {
    this.#lossHandlers.set(slice, onLost)
    return { [Symbol.dispose]: () => void this.#lossHandlers.delete(slice) }
  }

  /** Records the end of one stream, and shows it at once: other streams of the run may need hours more. */
  finishStream(stream: string, report: StreamReport): void {
    for (const list of this.#sharedLists.values()) list.pass(stream)
    const { status, counts, ms } = report
    this.#reports.set(stream, report)
    this.emit({ type: 'stream.finished', stream, status, counts, ms })
  }

  /** Records the end of the run in the ledger and returns its report. */
  async finish(): Promise<Report> {
    const { context, id, keeper } = this
    const { database, readSignal, writeSignal } = context
    const streams = this.#start.streams.map(
      (name) => [name, this.#reports.get(name) ?? this.tally(name).report('not run')] as const,
    )
    const walBytes = this.#walBefore === undefined ? undefined : await walSince(database, this.#walBefore, writeSignal)
    const isStopped = readSignal.aborted
    const report = makeReport({ run: id, kind: this.#start.kind, context, streams, walBytes, isStopped })
    this.meter.finish()
    this.emit({ type: 'run.finished', run: id, status: report.status })
    const errors = streams.flatMap(([name, { error }]) => (error === undefined ? [] : [`${name}: ${error}`]))
    try {
      await finishRun(database, id, {
        status: report.status,
        report,
        keeper,
        signal: writeSignal.aborted ? AbortSignal.timeout(1_000) : writeSignal,
        ...(errors.length > 0 && { error: errors.join('\n') }),
      })
    } catch (cause) {
      // The batches are committed. The report must reach the caller, and the next run closes this one in the ledger.
      const message = `the end of run ${id} could not be recorded: ${messageOf(cause)}`
      this.emit({ type: 'warning', message })
    }
    await this.#prune()
    return report
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync()
  }

  /** Removes what is old from the ledger, if that is due. The run has ended, so nothing may change its report. */
  async #prune(): Promise<void> {
    const { database, retention, readSignal } = this.context
    if (readSignal.aborted) return
    try {
      await pruneWhenDue(database, retention, { signal: readSignal })
    } catch (error) {
      if (!readSignal.aborted) this.#warnOfPruning(error)
    }
  }

  readonly #warnOfPruning = (error: unknown): void =>
    this.emit({ type: 'warning', message: `what is old could not be removed from the ledger: ${messageOf(error)}` })

  /** A shadow table that cannot be dropped belongs to another user and does no harm. */
  async #dropOrphans(): Promise<void> {
    const { database, readSignal: signal } = this.context
    for (const [drop, what] of [
      [dropOrphanShadows, 'shadow tables'],
      [dropOrphanMirrors, 'keys for mirrors'],
    ] as const) {
      try {
        await drop(database, { signal })
      } catch (error) {
        signal.throwIfAborted()
        this.emit({ type: 'warning', message: `${what} of earlier runs could not be dropped: ${messageOf(error)}` })
      }
    }
  }
}

const stopText = (run: string, isTaken: boolean): string =>
  isTaken ? `run ${run} was silent for too long: its piece of work goes on elsewhere` : `run ${run} was asked to end`

/** Returns the path of a request that the definition has as it is. One with values is no text. */
function ownPath(recipe: Recipe | undefined): string | undefined {
  if (!recipe || 'read' in recipe.source) return undefined
  const { path } = recipe.source.request
  return typeof path === 'string' ? path : undefined
}

/** Callbacks by slice id. */
type LossHandlers = Map<string, (reason: string) => void>

interface Opened {
  readonly id: string
  readonly keeper: LeaseKeeper
  readonly lossHandlers: LossHandlers
  readonly trace: RunTrace | undefined
  readonly resources: AsyncDisposableStack
}
