import type { Pipeline } from '../../define/pipeline.ts'
import type { Counts } from '../../model/batch.ts'
import { acceptsOpen } from '../../model/completeness.ts'
import { NO_COUNTS } from '../../model/counts.ts'
import type { RunEvent } from '../../model/event.ts'
import { definitionHash } from '../../read/definition-hash.ts'
import { defined } from '../../value/defined.ts'
import { ActiveRun } from '../active-run.ts'
import { nextWindow } from '../backfill/next-window.ts'
import { syncWindow } from '../backfill/sync-window.ts'
import { resolveBatch, type RunOptions } from '../options.ts'
import { RunContext } from '../run-context.ts'
import { StreamContext } from '../stream-context.ts'
import { HANDED_OUT_BY, type WindowPiece } from './window-piece.ts'

export interface WindowSessionsOptions {
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
   */
  async read(pipeline: Pipeline, piece: WindowPiece, signal: AbortSignal): Promise<WindowOutcome | undefined> {
    const key = `${piece.pipeline}.${piece.stream} ${piece.run}`
    const opening = this.#sessions.get(key) ?? this.#open(key, pipeline, piece, signal)
    const session = await opening
    const end = (): void => void this.#end(key, opening)
    try {
      return await session.read(piece, signal, end)
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
  readonly #counts: ReadonlyMap<string, Counts>
  #reading = 0
  #idle: NodeJS.Timeout | undefined
  #closed: Promise<void> | undefined
  /** The error that ended it. */
  failure: unknown

  private constructor(
    run: ActiveRun,
    stream: StreamContext,
    counts: ReadonlyMap<string, Counts>,
    resources: AsyncDisposableStack,
  ) {
    this.#run = run
    this.#stream = stream
    this.#counts = counts
    this.#resources = resources
  }

  static async open(
    pipeline: Pipeline,
    { stream, backfill, run: handedOutBy, options }: WindowPiece,
    { runs, concurrency, onRun }: WindowSessionsOptions,
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
    const recorded = { backfill, [HANDED_OUT_BY]: handedOutBy }
    const run = opening.use(await ActiveRun.start(context, { kind: 'backfill', streams: [stream], options: recorded }))
    const { mostDeletes } = options
    const streamContext = new StreamContext(run, stream, { batch: resolveBatch(options.batch), mostDeletes })
    return new Session(run, streamContext, counts, opening.move())
  }

  async read(
    { backfill, lower, options: { only } }: WindowPiece,
    signal: AbortSignal,
    onIdle: () => void,
  ): Promise<WindowOutcome | undefined> {
    const stream = this.#stream
    const { recipe, table } = stream
    clearTimeout(this.#idle)
    this.#reading += 1
    try {
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
      const error = await syncWindow(stream, claimed, signal)
      return { run: this.#run.id, counts: this.#counts.get(claimed.slice.id) ?? NO_COUNTS, error }
    } finally {
      this.#reading -= 1
      if (this.#reading === 0) this.#idle = setTimeout(onIdle, IDLE_MS)
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
    const isStopped = stream.readSignal.aborted
    const report = failure === undefined && !isStopped ? stream.tally.report('done') : stream.fail(failure)
    this.#run.finishStream(stream.stream, report)
    await this.#run.finish()
  }
}
