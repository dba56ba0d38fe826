import { hostname } from 'node:os'
import type { Database } from '../../database/database.ts'
import { abortable } from '../../flow/signals/abortable.ts'
import { sleep } from '../../flow/signals/sleep.ts'
import { deadline } from '../../flow/signals/timeout.ts'
import { Semaphore } from '../../flow/semaphore.ts'
import type { TaskGroup } from '../../flow/task-group.ts'
import type { LeaseKeeper } from '../../ledger/lease/lease-keeper.ts'
import type { AttemptState } from '../../ledger/pieces.ts'
import { readWaiting } from '../../ledger/read/read-work.ts'
import { ofQueue, queueName } from '../../ledger/work-queues.ts'
import { addWorker, noteWorker, removeWorker, WORKER_SEEN_EVERY_MS } from '../../ledger/workers.ts'
import { NO_COUNTS } from '../../model/counts.ts'
import type { RunEvent } from '../../model/event.ts'
import { WORK_CHANNEL, type TakenJob, type WorkQueue } from '../../queue/queue.ts'
import { messageOf } from '../../value/error.ts'
import type { RunOptions } from '../options.ts'
import type { Definitions } from './definitions.ts'
import { attemptPiece, parsePiece, type SyncPiece } from './piece.ts'
import { Turns } from './turns.ts'
import { untilItPasses } from './until-it-passes.ts'
import type { WorkerEvent } from './worker-event.ts'
import type { WindowPiece } from './window-piece.ts'
import { WindowSessions, type WindowOutcome } from './window-sessions.ts'

export interface WorkerParts {
  readonly name: string
  readonly concurrency: number
  readonly database: Database
  readonly definitions: Definitions
  readonly queue: WorkQueue
  readonly keeper: LeaseKeeper
  /** Options of each run. */
  readonly runs: Pick<RunOptions, 'database' | 'environment' | 'memory'>
  readonly emit: (event: WorkerEvent) => void
  readonly onRun: ((pipeline: string, event: RunEvent) => void) | undefined
}

/** A worker that nobody wakes looks for work in this interval. */
const POLL_MS = 1_000
/** Interval between two looks for work that this worker cannot take. */
const LOOK_MS = 30_000
/** A piece that could not start is given back after this time, so that it does not go round without end. */
const PAUSE_MS = 5_000
/** Time for a statement after the signal has aborted. */
const FINAL_WRITE_MS = 1_000

/**
 * Takes jobs and does their pieces of work, several at once.
 *
 * | what happens | what the worker does |
 * |---|---|
 * | the piece has ended | completes the job |
 * | the worker is asked to end | ends the run at its next commit and gives the job back |
 * | the run could not start | waits 5 s and gives the job back |
 * | another process does the piece meanwhile | leaves the job to it |
 * | the worker dies | its job falls silent, and another worker takes it; the ledger says where to read on |
 * | the database cannot be reached | emits a warning and tries again |
 */
export class Worker {
  readonly #parts: WorkerParts
  readonly #permits: Semaphore
  readonly #sessions: WindowSessions
  #id: string | undefined
  #wake = Promise.withResolvers<void>()
  readonly #turns = new Turns()
  #told: ReadonlySet<string> = new Set()

  constructor(parts: WorkerParts) {
    this.#parts = parts
    this.#permits = new Semaphore(parts.concurrency)
    this.#sessions = new WindowSessions(parts)
  }

  /** Works until the group's signal aborts. Rejects with its reason after all pieces have ended or were given back. */
  async work(group: TaskGroup): Promise<void> {
    const { name: worker, concurrency, definitions, keeper, emit } = this.#parts
    using _ = keeper.subscribe(WORK_CHANNEL, () => this.#wake.resolve())
    await this.#note(group.signal)
    const pipelines = Object.entries(definitions.versions).map(([pipeline, version]) => ({ pipeline, version }))
    emit({ type: 'worker.started', worker, concurrency, pipelines })
    for (const lacked of definitions.lacked) emit({ type: 'pipeline.lacked', ...lacked })
    group.spawn((signal) => this.#repeat(WORKER_SEEN_EVERY_MS, () => this.#note(signal), signal))
    group.spawn((signal) => this.#repeat(LOOK_MS, () => this.#tellLeft(), signal))
    group.spawn((signal) => this.#take(group, signal))
    try {
      await group.join()
    } finally {
      await this.#sessions[Symbol.asyncDispose]()
      if (this.#id !== undefined)
        await removeWorker(this.#parts.database, this.#id, AbortSignal.timeout(FINAL_WRITE_MS)).catch(() => {})
    }
  }

  /** Notes in the ledger that the worker lives. */
  async #note(signal: AbortSignal): Promise<void> {
    const { name, concurrency, database, definitions, keeper, emit } = this.#parts
    for (const lacked of definitions.refresh()) emit({ type: 'pipeline.lacked', ...lacked })
    const { versions: pipelines } = definitions
    const { session } = keeper
    if (
      this.#id !== undefined &&
      (await noteWorker(database, this.#id, { pipelines, session, isDraining: false, signal }))
    )
      return
    this.#id = await addWorker(
      database,
      { name, host: hostname(), pid: process.pid, concurrency, pipelines },
      session,
      signal,
    )
  }

  /** Calls `work` again and again. An error of the database is told and passes. */
  async #repeat(everyMs: number, work: () => Promise<void>, signal: AbortSignal): Promise<never> {
    for (;;) {
      await this.#untilItPasses(work, signal)
      await sleep(everyMs, { signal })
    }
  }

  async #untilItPasses<Result>(work: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
    const onError = (error: unknown): void =>
      this.#parts.emit({
        type: 'warning',
        message: `the database fails; the worker tries again: ${messageOf(error)}`,
      })
    return untilItPasses(work, { onError, signal })
  }

  /** Takes one job after the other, as many at once as the worker may do. */
  async #take(group: TaskGroup, signal: AbortSignal): Promise<never> {
    const { queue } = this.#parts
    try {
      for (;;) {
        const permit = await this.#permits.acquire({ signal })
        const job = await this.#untilItPasses(() => this.#next(signal), signal)
        if (signal.aborted) await queue.giveBack(job, 'the worker ends').catch(() => {})
        signal.throwIfAborted()
        const turn = this.#turns.take(job.queue)
        group.spawn(async () => {
          using _permit = permit
          using _turn = turn
          await this.#do(job, signal)
        })
      }
    } finally {
      // Nobody shall wait for this worker from now on.
      if (this.#id !== undefined && signal.aborted) await this.#noteDraining(this.#id)
    }
  }

  async #noteDraining(id: string): Promise<void> {
    const { database, definitions, keeper } = this.#parts
    await noteWorker(database, id, {
      pipelines: definitions.versions,
      session: keeper.session,
      isDraining: true,
      signal: AbortSignal.timeout(FINAL_WRITE_MS),
    }).catch(() => {})
  }

  /** Waits for a job. */
  async #next(signal: AbortSignal): Promise<TakenJob> {
    const { queue, definitions } = this.#parts
    for (;;) {
      signal.throwIfAborted()
      this.#wake = Promise.withResolvers()
      const ready = (await queue.ready()).filter((name) => definitions.of(name) !== undefined)
      for (const name of this.#turns.order(ready)) {
        const job = await queue.take(name)
        if (job) return job
      }
      using wait = deadline(signal, POLL_MS)
      await abortable(this.#wake.promise, wait.signal).catch(() => signal.throwIfAborted())
    }
  }

  async #do(job: TakenJob, signal: AbortSignal): Promise<void> {
    const { queue, definitions, emit } = this.#parts
    let piece: SyncPiece | WindowPiece | undefined
    let reason = 'the worker ends'
    using _touching = this.#touch(job)
    try {
      const pipeline = definitions.of(job.queue)
      piece = parsePiece(job.data)
      if (!pipeline) throw new Error('this worker does not have the pipeline any more')
      emit({ type: 'piece.started', ...nameOf(piece) })
      if (piece.kind === 'window') {
        const startedMs = Date.now()
        const outcome = await this.#sessions.read(pipeline, piece, signal)
        await queue.complete(job)
        this.#windowFinished(piece, outcome, Date.now() - startedMs)
        return
      }
      const { newest, isOwn } = await this.#attempt(job, pipeline, piece, signal)
      if (newest?.state === 'ended') {
        await queue.complete(job)
        this.#finished(piece, newest)
        return
      }
      if (!isOwn) {
        emit({ type: 'piece.left', ...nameOf(piece), reason: 'another process does it' })
        return
      }
    } catch (error) {
      if (!signal.aborted) {
        reason = messageOf(error)
        await sleep(PAUSE_MS, { signal }).catch(() => {})
      }
    }
    emit({ type: 'piece.left', ...(piece ? nameOf(piece) : { ...ofQueue(job.queue), stream: '?' }), reason })
    // If that fails, the job falls silent and is taken by another worker.
    await queue.giveBack(job, reason).catch(() => {})
  }

  #attempt(job: TakenJob, pipeline: NonNullable<ReturnType<Definitions['of']>>, piece: SyncPiece, signal: AbortSignal) {
    const { name: worker, database, runs, onRun } = this.#parts
    const onEvent = onRun && ((event: RunEvent): void => onRun(pipeline.name, event))
    return attemptPiece(pipeline, piece, {
      database,
      attempt: { id: job.id, worker },
      runs: { ...runs, ...(onEvent && { onEvent }) },
      signal,
    })
  }

  #windowFinished(piece: WindowPiece, outcome: WindowOutcome | undefined, ms: number): void {
    const { run, counts = NO_COUNTS, error } = outcome ?? {}
    const { fetched, inserted, updated, rejected } = counts
    this.#parts.emit({
      type: 'piece.finished',
      ...nameOf(piece),
      run,
      status: error === undefined ? 'done' : 'failed',
      ms,
      fetched,
      stored: inserted + updated,
      rejected,
      error: error === undefined ? undefined : messageOf(error),
    })
  }

  #touch(job: TakenJob): Disposable {
    const { queue } = this.#parts
    // A touch that fails is made up for by the next one; after three the job goes to another worker, which waits.
    const timer = setInterval(() => void queue.touch(job).catch(() => {}), queue.touchEveryMs)
    return { [Symbol.dispose]: () => clearInterval(timer) }
  }

  #finished(piece: SyncPiece, { run, status, report, error }: AttemptState): void {
    const stream = report?.streams[piece.stream]
    this.#parts.emit({
      type: 'piece.finished',
      ...nameOf(piece),
      run,
      status: status === 'running' ? 'interrupted' : status,
      ms: report?.ms ?? 0,
      fetched: stream?.counts.fetched ?? 0,
      stored: (stream?.counts.inserted ?? 0) + (stream?.counts.updated ?? 0),
      rejected: stream?.counts.rejected ?? 0,
      error: stream?.error ?? error,
    })
  }

  /** Tells once of each pipeline in a version that has work which this worker cannot take. */
  async #tellLeft(): Promise<void> {
    const { database, definitions, emit } = this.#parts
    const left = (await readWaiting(database, [])).filter((one) => definitions.of(queueName(one)) === undefined)
    const { versions } = definitions
    for (const { pipeline, version, pieces: waiting } of left)
      if (!this.#told.has(queueName({ pipeline, version })))
        emit({ type: 'work.left', pipeline, version, own: versions[pipeline], waiting })
    this.#told = new Set(left.map(queueName))
  }
}

const nameOf = (piece: SyncPiece | WindowPiece) => ({
  pipeline: piece.pipeline,
  stream: piece.stream,
  ...(piece.kind === 'window' && { window: piece.lower }),
})
