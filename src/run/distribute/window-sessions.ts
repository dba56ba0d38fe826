import type { Pipeline } from '../../define/pipeline.ts'
import type { Counts } from '../../model/batch.ts'
import { hasTakenWindowsBack } from '../../ledger/pieces.ts'
import { LinkedSignal } from '../../flow/signals/linked-signal.ts'
import { acceptsOpen } from '../../model/completeness.ts'
import { NO_COUNTS } from '../../model/counts.ts'
import { CancelledError } from '../../model/errors.ts'
import type { RunEvent } from '../../model/event.ts'
import { definitionHash } from '../../read/definition-hash.ts'
import { defined } from '../../value/defined.ts'
import { ActiveRun } from '../active-run.ts'
import { nextWindow } from '../backfill/next-window.ts'
import { syncWindow } from '../backfill/sync-window.ts'
import { resolveBatch, type RunOptions } from '../options.ts'
import { requireUnpaused } from '../pause-watch.ts'
import { RunContext } from '../run-context.ts'
import { StreamContext } from '../stream-context.ts'
import { HANDED_OUT_BY, type WindowPiece } from './window-piece.ts'

export interface WindowSessionsOptions {
  /** The name of the worker, which its runs carry. */
  readonly name: string
  /** Options of the runs. */
  readonly runs: Pick<RunOptions, 'database' | 'environment' | 'memory'>
  /** Windows that a worker reads at once. */
  readonly concurrency: number
  readonly onRun: ((pipeline: string, event: RunEvent) => void) | undefined
}

/** What has become of a window. */
export interface WindowOutcome {
  readonly run: string
  readonly counts: Counts
  /** Why the window failed. */
  readonly error?: unknown
}

/** A run without a window ends after this time. Another window of the backfill is mostly there at once. */
const IDLE_MS = 1_000

/**
 * The runs in which a worker reads windows of backfills: one for each process that hands out windows, so that a window
 * costs no connection and no run of its own. Disposing ends all.
 */
export class WindowSessions implements AsyncDisposable {
  readonly #options: WindowSessionsOptions
  readonly #sessions = new Map<string, Promise<Session>>()

  constructor(options: WindowSessionsOptions) {
    this.#options = options
  }

  /**
   * Reads a window, unless it has ended; waits while another process reads it. Returns undefined if nothing was left
   * to do. Throws an error that the other windows would hit as well: the run has then failed, and the ledger says why.
   * Throws too if the window was not read to its end, because the worker ends or the run was asked to, or because the
   * stream is paused.
   */
  async read(pipeline: Pipeline, piece: WindowPiece, signal: AbortSignal): Promise<WindowOutcome | undefined> {
    const key = `${piece.pipeline}.${piece.stream} ${piece.run}`
    const opening = this.#sessions.get(key) ?? this.#open(key, pipeline, piece, signal)
    const session = await opening
    const end = (): void => void this.#end(key, opening)
    try {
      return await session.read(piece, end)
    } catch (error) {
      session.failure ??= error
      await this.#end(key, opening)
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#sessions].map(([key, session]) => this.#end(key, session)))
  }

  #open(key: string, pipeline: Pipeline, piece: WindowPiece, signal: AbortSignal): Promise<Session> {
    const opening = Session.open(pipeline, piece, this.#options, signal)
    this.#sessions.set(key, opening)
    opening.catch(() => this.#sessions.delete(key))
    return opening
  }

  async #end(key: string, opening: Promise<Session>): Promise<void> {
    if (this.#sessions.get(key) === opening) this.#sessions.delete(key)
    const session = await opening.catch(() => undefined)
    await session?.close()
  }
}

/** One run that reads windows. */
class Session {
  readonly #run: ActiveRun
  readonly #stream: StreamContext
  readonly #resources: AsyncDisposableStack
  /** Counts of the windows that were read to their end. */
  readonly #counts: Map<string, Counts>
  /** Ends the reading of all windows when the run is to stop, the stream is paused, or one has met a common error. */
  readonly #stop: LinkedSignal
  readonly #reading = new Set<Promise<unknown>>()
  #idle: NodeJS.Timeout | undefined
  #closed: Promise<void> | undefined
  /** The error that ended it. */
  failure: unknown

  private constructor(
    run: ActiveRun,
    stream: StreamContext,
    counts: Map<string, Counts>,
    resources: AsyncDisposableStack,
  ) {
    this.#run = run
    this.#stream = stream
    this.#counts = counts
    this.#resources = resources
    this.#stop = resources.use(new LinkedSignal(stream.readSignal))
  }

  static async open(
    pipeline: Pipeline,
    { stream, backfill, run: handedOutBy, options }: WindowPiece,
    { name: worker, runs, concurrency, onRun }: WindowSessionsOptions,
    signal: AbortSignal,
  ): Promise<Session> {
    const counts = new Map<string, Counts>()
    const onEvent = (event: RunEvent): void => {
      if (event.type === 'slice.finished') counts.set(event.slice, event.counts)
      onRun?.(pipeline.name, event)
    }
    await using opening = new AsyncDisposableStack()
    const context = opening.use(
      await RunContext.open(pipeline, { ...defined(runs), onEvent, signal, connections: concurrency + 4 }),
    )
    const { database, readSignal } = context
    const streams = [stream]
    const pauses = await requireUnpaused(database, { pipeline: pipeline.name, streams, signal: readSignal })
    const recorded = { backfill, [HANDED_OUT_BY]: handedOutBy }
    const run = opening.use(
      await ActiveRun.start(context, { kind: 'backfill', streams, pauses, options: recorded, worker }),
    )
    // Either the process that takes its windows back finds this run, or this run learns of it here.
    if (await hasTakenWindowsBack(database, { run: handedOutBy, backfill }, readSignal))
      context.stop(new CancelledError(`run ${handedOutBy} takes back the windows that it has handed out`))
    const { mostDeletes } = options
    const streamContext = new StreamContext(run, stream, { batch: resolveBatch(options.batch), mostDeletes })
    return new Session(run, streamContext, counts, opening.move())
  }

  /** Reads a window. Calls `onIdle` when none was read for a while. */
  read(piece: WindowPiece, onIdle: () => void): Promise<WindowOutcome | undefined> {
    clearTimeout(this.#idle)
    const reading = this.#read(piece).finally(() => {
      this.#reading.delete(reading)
      if (this.#reading.size === 0 && !this.#closed) this.#idle = setTimeout(onIdle, IDLE_MS)
    })
    this.#reading.add(reading)
    return reading
  }

  async #read({ backfill, lower, options: { only } }: WindowPiece): Promise<WindowOutcome | undefined> {
    const stream = this.#stream
    const { recipe, table } = stream
    const { signal } = this.#stop
    for (;;) {
      const claimed = await nextWindow(stream, {
        run: this.#run.id,
        keeper: this.#run.keeper,
        backfill,
        only,
        onlyWindows: [lower],
        definition: definitionHash(recipe, table),
        resume: table.resumeWithin,
        mustBeComplete: !acceptsOpen(table),
        signal,
      })
      if (!claimed) return undefined
      this.#counts.delete(claimed.slice.id)
      const error = await syncWindow(stream, claimed, signal)
      const counts = this.#counts.get(claimed.slice.id)
      // Another run has taken the window over: it is waited for.
      if (error !== undefined || counts) return { run: this.#run.id, counts: counts ?? NO_COUNTS, error }
    }
  }

  /** Ends the run, once. */
  close(): Promise<void> {
    clearTimeout(this.#idle)
    return (this.#closed ??= this.#close())
  }

  async #close(): Promise<void> {
    await using _ = this.#resources
    const stream = this.#stream
    const { failure } = this
    // What they commit until they have ended belongs to the report of this run.
    this.#stop.abort(failure ?? new CancelledError('the run that reads the windows ends'))
    await Promise.allSettled(this.#reading)
    const isStopped = stream.readSignal.aborted
    const report = failure === undefined && !isStopped ? stream.tally.report('done') : stream.fail(failure)
    this.#run.finishStream(stream.stream, report)
    await this.#run.finish()
  }
}
