import { randomUUID } from 'node:crypto'
import type { Database } from '../../database/database.ts'
import type { Pipeline } from '../../define/pipeline.ts'
import { sleep } from '../../flow/signals/sleep.ts'
import { Semaphore } from '../../flow/semaphore.ts'
import { TaskGroup } from '../../flow/task-group.ts'
import { readAttempts, readPiece, recordStoppedAttempt, type AttemptState } from '../../ledger/pieces.ts'
import { requestStop } from '../../ledger/runs.ts'
import type { Report, StreamReport } from '../../model/report.ts'
import type { WorkQueue } from '../../queue/queue.ts'
import { defined } from '../../value/defined.ts'
import { formatSeconds } from '../../value/format.ts'
import { messageOf } from '../../value/error.ts'
import { DEFAULTS, type RunOptions } from '../options.ts'
import { StreamTally } from '../report/stream-tally.ts'
import { eventsAfter } from './events-after.ts'
import { findWorkers } from './find-workers.ts'
import { joinAttempts } from './join-attempts.ts'
import { joinReports } from './join-reports.ts'
import { attemptPiece, queueOf, type PieceOptions, type SyncPiece } from './piece.ts'
import { untilItPasses } from './until-it-passes.ts'

export interface HandOutOptions extends Omit<RunOptions, 'database'> {
  readonly database: Database
  /** The option `database` of the run. */
  readonly url: string | undefined
  readonly queue: WorkQueue
  /** Returns the id of the piece of a stream. @default a new one */
  readonly pieceOf?: (stream: string) => string
  /** If no worker has begun after this time, this process begins with one stream. @default it waits */
  readonly beginWithinMs?: number
  readonly onNote: (note: string) => void
  readonly signal: AbortSignal
}

interface Piece {
  readonly id: string
  readonly stream: string
  /** The newest run of the piece, and the last of its events that was passed on. Undefined if none has begun. */
  run?: string
  event: string
  /** This process does it itself. */
  isOwn: boolean
  /** Looks in a row that found neither a run nor a job of the piece. */
  missing: number
  /** Its run was asked to stop. */
  isStopped: boolean
  /** Set when the piece has ended. */
  report?: StreamReport
  peakMemoryBytes: number
}

/** Interval between two looks at what has become of the pieces. */
const LOOK_MS = 500
/** A job may end between two looks of one pass: only a second one shows that it is lost. */
const MISSING_LOOKS = 3
/** Time for runs to end after this process was asked to stop. */
const STOP_MS = 4_000

/**
 * Pieces of work that this process has handed to workers. The runs of the ledger say what has become of each.
 *
 * | state of a piece | action |
 * |---|---|
 * | its newest run has ended | takes over its report |
 * | its newest run is alive | passes its events on |
 * | a job waits for a worker | waits, as long as a worker is alive that has this version of the pipeline |
 * | no such worker is alive, or the job is lost | does it in this process |
 * | this process is asked to stop, or fails | removes the jobs, asks the runs to stop, and waits for them |
 */
export class HandedOut {
  readonly #pipeline: Pipeline
  readonly #options: HandOutOptions
  readonly #pieces: readonly Piece[]
  readonly #queue: string
  readonly #permits: Semaphore
  readonly #startedAt = new Date()
  #firstRun: string | undefined

  constructor(pipeline: Pipeline, streams: readonly string[], options: HandOutOptions) {
    this.#pipeline = pipeline
    this.#options = options
    this.#queue = queueOf(pipeline)
    this.#permits = new Semaphore(options.concurrency ?? DEFAULTS.concurrency)
    this.#pieces = streams.map((stream) => ({
      id: options.pieceOf?.(stream) ?? randomUUID(),
      stream,
      event: '0',
      isOwn: false,
      isStopped: false,
      missing: 0,
      peakMemoryBytes: 0,
    }))
  }

  /** Hands the pieces out, waits until all have ended, and returns the report of the run. */
  async run(): Promise<Report> {
    const { signal, queue } = this.#options
    const piece = { kind: 'sync', pipeline: this.#pipeline.name, options: this.#pieceOptions } as const
    await using group = new TaskGroup()
    try {
      await queue.send(
        this.#queue,
        this.#pieces.map(({ id, stream }) => ({ id, data: { ...piece, stream } satisfies SyncPiece })),
      )
      while (this.#open.length > 0) {
        await this.#look(group)
        if (this.#open.length > 0) await sleep(LOOK_MS, { signal })
      }
    } catch (error) {
      await this.#stop()
      if (!signal.aborted) throw error
    }
    await group.join()
    return this.#report()
  }

  get #open(): readonly Piece[] {
    return this.#pieces.filter(({ report }) => report === undefined)
  }

  get #pieceOptions(): PieceOptions {
    const { full, overlap, mostDeletes, receipt, batch } = this.#options
    return defined({ full, overlap, mostDeletes, receipt, batch })
  }

  /** Looks once at all open pieces. An error of the database that may pass is told, and the look is repeated. */
  async #look(group: TaskGroup): Promise<void> {
    const { database, signal, onEvent } = this.#options
    const onError = (error: unknown): void =>
      onEvent?.({ type: 'warning', message: `the ledger cannot be read just now: ${messageOf(error)}` })
    const look = async (): Promise<void> => {
      const ids = this.#open.map(({ id }) => id)
      const attempts = await readAttempts(database, ids, signal)
      for (const piece of this.#open) await this.#follow(piece, attempts.get(piece.id))
      await this.#findLost(attempts, group)
    }
    await untilItPasses(look, { onError, signal })
  }

  /** Passes on what the newest run of a piece has done since the last look, and its report once it has ended. */
  async #follow(piece: Piece, attempt: AttemptState | undefined): Promise<void> {
    if (!attempt) return
    const { database, signal, onEvent, onStreamError } = this.#options
    if (piece.run !== attempt.run) [piece.run, piece.event] = [attempt.run, '0']
    if (this.#firstRun === undefined) {
      this.#firstRun = attempt.run
      const streams = this.#pieces.map(({ stream }) => stream)
      onEvent?.({ type: 'run.started', run: attempt.run, pipeline: this.#pipeline.name, streams, kind: 'sync' })
    }
    // This process emits the events of its own runs itself.
    if (!piece.isOwn) {
      for await (const { id, event } of eventsAfter(database, { run: attempt.run, after: piece.event, signal })) {
        piece.event = id
        if (event.type !== 'run.started' && event.type !== 'run.finished' && event.type !== 'gauge') onEvent?.(event)
      }
    }
    if (attempt.state !== 'ended') return
    await this.#end(piece, attempt, signal)
    const error = piece.report?.error
    if (error !== undefined && !piece.isOwn) onStreamError?.(piece.stream, new Error(error))
  }

  /** Takes over the report of a piece that has ended, with what its earlier attempts have read. */
  async #end(piece: Piece, attempt: AttemptState, signal: AbortSignal): Promise<void> {
    const { stream } = piece
    const { status, isPaused, error = 'its run has left no report' } = attempt
    const left = { ...this.#tally(piece).report(status === 'interrupted' ? status : 'failed'), error }
    const record = await readPiece(this.#options.database, piece.id, signal)
    const report = joinAttempts(attempt.report?.streams[stream] ?? left, stream, record)
    const peaks = [...record.earlier, ...(attempt.report ? [attempt.report] : [])]
    piece.peakMemoryBytes = Math.max(0, ...peaks.map(({ peakMemoryBytes }) => peakMemoryBytes))
    // A stream that was paused before anything was read stops no other one.
    piece.isStopped = status === 'interrupted' && !(isPaused && report.status === 'not run')
    piece.report = report
  }

  /** Takes pieces upon this process for which no worker is alive, or whose job is lost. */
  async #findLost(attempts: ReadonlyMap<string, AttemptState>, group: TaskGroup): Promise<void> {
    const { database, queue, onNote, beginWithinMs = Infinity } = this.#options
    const idle = this.#open.filter((piece) => !piece.isOwn && attempts.get(piece.id)?.state !== 'running')
    if (idle.length === 0) return
    const { able } = await findWorkers(database, this.#pipeline)
    const pending = await queue.pending(idle.map(({ id }) => id))
    for (const piece of idle) {
      piece.missing = pending.has(piece.id) ? 0 : piece.missing + 1
      const isLost = piece.missing >= MISSING_LOOKS
      const isUntouched = this.#firstRun === undefined && !this.#pieces.some(({ isOwn }) => isOwn)
      const isLate = isUntouched && Date.now() - this.#startedAt.getTime() >= beginWithinMs
      if (able.length > 0 && !isLost && !isLate) continue
      let why = 'no worker is alive that has it'
      if (able.length > 0) why = isLost ? 'its job is gone' : `no worker began within ${formatSeconds(beginWithinMs)}`
      onNote(`${this.#pipeline.name}.${piece.stream}: ${why}; this process does it itself`)
      piece.isOwn = true
      group.spawn(() => this.#doIt(piece))
      // A worker that takes the job all the same waits for this process.
      await queue.remove(this.#queue, [piece.id])
    }
  }

  async #doIt(piece: Piece): Promise<void> {
    const { database, url, signal, environment, memory, onEvent, onStreamError } = this.#options
    const permit = await this.#permits.acquire({ signal }).catch(() => undefined)
    if (!permit) return
    using _permit = permit
    try {
      const { newest } = await attemptPiece(
        this.#pipeline,
        { stream: piece.stream, options: this.#pieceOptions },
        {
          database,
          attempt: { id: piece.id },
          runs: defined({
            database: url,
            environment,
            memory,
            onStreamError,
            onEvent:
              onEvent &&
              ((event: Parameters<typeof onEvent>[0]): void => {
                if (event.type !== 'run.started' && event.type !== 'run.finished') onEvent(event)
              }),
          }),
          signal,
        },
      )
      // A process that had taken it meanwhile is gone.
      if (newest?.state !== 'ended') [piece.isOwn, piece.missing] = [false, MISSING_LOOKS]
    } catch (error) {
      if (signal.aborted) return
      onStreamError?.(piece.stream, error)
      piece.report = this.#tally(piece).report('failed', messageOf(error))
    }
  }

  /**
   * Takes back what nobody has begun, also what a worker has just taken, asks the runs under way to stop, and waits for
   * them. Of a stream that needs longer, the report says that it was interrupted.
   */
  async #stop(): Promise<void> {
    const { database, queue } = this.#options
    const signal = AbortSignal.timeout(STOP_MS)
    const stop = async (): Promise<void> => {
      const ids = this.#open.map(({ id }) => id)
      await queue.remove(this.#queue, ids)
      for (;;) {
        const attempts = await readAttempts(database, ids, signal)
        for (const piece of this.#open) await this.#stopPiece(piece, attempts.get(piece.id), signal)
        if (this.#open.length === 0) return
        await sleep(LOOK_MS / 2, { signal })
      }
    }
    await untilItPasses(stop, { signal }).catch(() => {})
  }

  async #stopPiece(piece: Piece, attempt: AttemptState | undefined, signal: AbortSignal): Promise<void> {
    const { database, full } = this.#options
    if (attempt) piece.run = attempt.run
    if (attempt?.state === 'running') await requestStop(database, attempt.run)
    else if (attempt?.state === 'ended') await this.#end(piece, attempt, signal)
    else {
      // The next look reads it, or the attempt that was faster.
      const error = 'the process that handed it out takes it back'
      const unread = this.#join([[piece.stream, this.#tally(piece).report('not run')]])
      const report = { ...unread, status: 'interrupted' } as const
      const stopped = { pipeline: this.#pipeline.name, stream: piece.stream, error, full, report }
      await recordStoppedAttempt(database, { ...stopped, piece: { id: piece.id }, signal })
    }
  }

  #tally({ stream }: Piece): StreamTally {
    const flow = this.#pipeline.streams[stream]
    if (!flow) throw new TypeError(`Stream ${stream} is not a part of this run`)
    return new StreamTally(flow.table)
  }

  #report(): Report {
    const { onEvent } = this.#options
    const report = this.#join(
      this.#pieces.map((piece) => {
        const status = piece.run === undefined ? 'not run' : 'interrupted'
        return [piece.stream, piece.report ?? { ...this.#tally(piece).report('not run'), status }] as const
      }),
    )
    onEvent?.({ type: 'run.finished', run: report.run, status: report.status })
    return report
  }

  #join(streams: readonly (readonly [string, StreamReport])[]): Report {
    return joinReports(this.#pipeline, streams, {
      run: this.#firstRun ?? '',
      startedAt: this.#startedAt,
      isStopped: this.#options.signal.aborted || this.#pieces.some(({ isStopped }) => isStopped),
      peakMemoryBytes: Math.max(...this.#pieces.map(({ peakMemoryBytes }) => peakMemoryBytes)),
    })
  }
}
