import { randomUUID } from 'node:crypto'
import type { Database } from '../../database/database.ts'
import type { Pipeline } from '../../define/pipeline.ts'
import { sleep } from '../../flow/signals/sleep.ts'
import { Semaphore } from '../../flow/semaphore.ts'
import { TaskGroup } from '../../flow/task-group.ts'
import { readAttempts, readInterrupted, type AttemptState } from '../../ledger/pieces.ts'
import { readEvents } from '../../ledger/read/read-events.ts'
import { requestStop } from '../../ledger/runs.ts'
import type { Report, StreamReport } from '../../model/report.ts'
import type { WorkQueue } from '../../queue/queue.ts'
import { defined } from '../../value/defined.ts'
import { messageOf } from '../../value/error.ts'
import { isPassing } from '../is-passing.ts'
import { DEFAULTS, type RunOptions } from '../options.ts'
import { StreamTally } from '../report/stream-tally.ts'
import { findWorkers } from './find-workers.ts'
import { joinReports } from './join-reports.ts'
import { attemptPiece, queueOf, type PieceOptions, type SyncPiece } from './piece.ts'

export interface HandOutOptions extends Omit<RunOptions, 'database'> {
  readonly database: Database
  /** The option `database` of the run. */
  readonly url: string | undefined
  readonly queue: WorkQueue
  readonly onNote: (note: string) => void
  readonly signal: AbortSignal
}

interface Piece {
  readonly id: string
  readonly stream: string
  /** The newest run of the piece, and the last of its events that was passed on. */
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
 * | this process is asked to stop | removes the jobs, asks the runs to stop, and waits for them |
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
      id: randomUUID(),
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
    await queue.send(
      this.#queue,
      this.#pieces.map(({ id, stream }) => ({ id, data: { ...piece, stream } satisfies SyncPiece })),
    )
    await using group = new TaskGroup()
    try {
      while (this.#open.length > 0) {
        await this.#look(group)
        if (this.#open.length > 0) await sleep(LOOK_MS, { signal })
      }
    } catch (error) {
      if (!signal.aborted) throw error
      await this.#stop()
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

  /** Looks once at all open pieces. An error of the database that passes is told, and the next look tries again. */
  async #look(group: TaskGroup): Promise<void> {
    const { database, signal, onEvent } = this.#options
    try {
      const attempts = await readAttempts(
        database,
        this.#open.map(({ id }) => id),
        signal,
      )
      for (const piece of this.#open) await this.#follow(piece, attempts.get(piece.id))
      await this.#findLost(attempts, group)
    } catch (error) {
      signal.throwIfAborted()
      if (!isPassing(error)) throw error
      onEvent?.({ type: 'warning', message: `the ledger cannot be read just now: ${messageOf(error)}` })
    }
  }

  /** Passes on what the newest run of a piece has done since the last look, and its report once it has ended. */
  async #follow(piece: Piece, attempt: AttemptState | undefined): Promise<void> {
    if (!attempt) return
    const { database, signal, onEvent, onStreamError } = this.#options
    const { pipeline } = { pipeline: this.#pipeline.name }
    if (piece.run !== attempt.run) [piece.run, piece.event] = [attempt.run, '0']
    if (this.#firstRun === undefined) {
      this.#firstRun = attempt.run
      const streams = this.#pieces.map(({ stream }) => stream)
      onEvent?.({ type: 'run.started', run: attempt.run, pipeline, streams, kind: 'sync' })
    }
    // This process emits the events of its own runs itself.
    if (!piece.isOwn) {
      for (const { id, event } of await readEvents(database, { run: attempt.run, after: piece.event, signal })) {
        piece.event = id
        if (event.type !== 'run.started' && event.type !== 'run.finished' && event.type !== 'gauge') onEvent?.(event)
      }
    }
    if (attempt.state !== 'ended') return
    piece.peakMemoryBytes = attempt.report?.peakMemoryBytes ?? 0
    const report = attempt.report?.streams[piece.stream]
    piece.report = report ?? (await this.#reportOf(piece, attempt))
    // A stream that was paused before anything was read stops no other one.
    const isUnread = report === undefined && piece.report.status === 'not run'
    piece.isStopped = attempt.status === 'interrupted' && !isUnread
    if (piece.report.error !== undefined && !piece.isOwn) onStreamError?.(piece.stream, new Error(piece.report.error))
  }

  /** The report of a piece whose last attempt has left none. An earlier attempt may have read, and left one. */
  async #reportOf(piece: Piece, { status, error = 'its run has left no report' }: AttemptState): Promise<StreamReport> {
    if (status !== 'interrupted') return this.#tally(piece).report('failed', error)
    const { hasRead, report } = await readInterrupted(this.#options.database, piece.id, this.#options.signal)
    const told = report?.streams[piece.stream] ?? this.#tally(piece).report('interrupted')
    return { ...told, status: hasRead ? 'interrupted' : 'not run', error }
  }

  /** Takes pieces upon this process for which no worker is alive, or whose job is lost. */
  async #findLost(attempts: ReadonlyMap<string, AttemptState>, group: TaskGroup): Promise<void> {
    const { database, queue, onNote } = this.#options
    const idle = this.#open.filter((piece) => !piece.isOwn && attempts.get(piece.id)?.state !== 'running')
    if (idle.length === 0) return
    const { able } = await findWorkers(database, this.#pipeline)
    const pending = await queue.pending(idle.map(({ id }) => id))
    for (const piece of idle) {
      piece.missing = pending.has(piece.id) ? 0 : piece.missing + 1
      const isLost = piece.missing >= MISSING_LOOKS
      if (able.length > 0 && !isLost) continue
      const why = isLost ? 'its job is gone' : 'no worker is alive that has it'
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

  /** Takes back what no worker has begun, asks the runs under way to stop, and waits for them. */
  async #stop(): Promise<void> {
    const { database, queue } = this.#options
    const signal = AbortSignal.timeout(STOP_MS)
    const read = (): Promise<Map<string, AttemptState>> =>
      readAttempts(
        database,
        this.#open.map(({ id }) => id),
        signal,
      )
    try {
      await queue.remove(
        this.#queue,
        this.#open.map(({ id }) => id),
      )
      for (let attempts = await read(); ; attempts = await read()) {
        for (const piece of this.#open) await this.#takeStopped(piece, attempts.get(piece.id))
        if (this.#open.every((piece) => attempts.get(piece.id)?.state !== 'running')) return
        await sleep(LOOK_MS / 2, { signal })
      }
    } catch {
      // The report says of these streams that they were interrupted.
    }
  }

  async #takeStopped(piece: Piece, attempt: AttemptState | undefined): Promise<void> {
    if (!attempt) return
    piece.run = attempt.run
    if (attempt.state === 'running') await requestStop(this.#options.database, attempt.run)
    else {
      const report = attempt.report?.streams[piece.stream]
      if (report) piece.report = report
    }
  }

  #tally({ stream }: Piece): StreamTally {
    const flow = this.#pipeline.streams[stream]
    if (!flow) throw new TypeError(`Stream ${stream} is not a part of this run`)
    return new StreamTally(flow.table)
  }

  #report(): Report {
    const { onEvent, signal } = this.#options
    const streams = this.#pieces.map((piece) => {
      const { stream, report } = piece
      return [stream, report ?? this.#tally(piece).report('not run')] as const
    })
    const report = joinReports(this.#pipeline, streams, {
      run: this.#firstRun ?? '',
      startedAt: this.#startedAt,
      isStopped: signal.aborted || this.#pieces.some(({ isStopped }) => isStopped),
      peakMemoryBytes: Math.max(...this.#pieces.map(({ peakMemoryBytes }) => peakMemoryBytes)),
    })
    onEvent?.({ type: 'run.finished', run: report.run, status: report.status })
    return report
  }
}
