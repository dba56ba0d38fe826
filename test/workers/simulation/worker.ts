import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '../../../src/database/database.ts'
import { abortable } from '../../../src/flow/signals/abortable.ts'
import { deadline } from '../../../src/flow/signals/timeout.ts'
import { sharedBudget } from '../../../src/http/limits/shared-budget.ts'
import type { LeaseKeeper } from '../../../src/ledger/lease/lease-keeper.ts'
import { startRun } from '../../../src/ledger/runs.ts'
import { sharedRates } from '../../../src/ledger/shared-rates.ts'
import { advanceSql } from '../../../src/ledger/slices/transitions.ts'
import { addWorker, noteWorker, WORKER_SEEN_EVERY_MS } from '../../../src/ledger/workers.ts'
import { NO_COUNTS } from '../../../src/model/counts.ts'
import { END } from '../../../src/model/page.ts'
import type { RateLimits } from '../../../src/index.ts'
import type { TakenJob, WorkQueue } from '../../../src/queue/queue.ts'
import { nextWindow } from '../../../src/run/backfill/next-window.ts'
import { versionOf, windowQueueOf } from '../../../src/run/distribute/piece.ts'
import { HANDED_OUT_BY, type WindowPiece } from '../../../src/run/distribute/window-piece.ts'
import { flow } from './flow.ts'
import type { Timings } from './timings.ts'

/** What the workers of one process share. */
export interface SimulatedProcess {
  readonly database: Database
  readonly queue: WorkQueue
  readonly keeper: LeaseKeeper
  /** Resolves when there may be work. */
  readonly woken: () => Promise<void>
}

export interface SimulatedWorkerOptions extends SimulatedProcess {
  readonly name: string
  /** Milliseconds that a window takes on average. */
  readonly workMs: number
  /** The rate of the API that all workers share; each window asks for one request. @default none */
  readonly rate: RateLimits | undefined
  readonly timings: Timings
  readonly signal: AbortSignal
}

const POLL_MS = 1_000
const RECORDS = 20
const COUNTS = { ...NO_COUNTS, fetched: RECORDS, inserted: RECORDS }

/** Registers a worker as `sluice worker` does, and shows every 5 s that it lives. Call it before work is handed out. */
export async function register({ name, database, keeper, timings, signal }: SimulatedWorkerOptions): Promise<void> {
  const pipelines = { [flow.name]: versionOf(flow) }
  const record = { name, host: 'simulated', pid: process.pid, concurrency: 1, pipelines }
  const id = await addWorker(database, record, keeper.session, signal)
  const live = async (): Promise<void> => {
    await sleep(Math.random() * WORKER_SEEN_EVERY_MS, undefined, { signal })
    for (;;) {
      const { session } = keeper
      await timings.of('sign of life', () =>
        noteWorker(database, id, { pipelines, session, isDraining: false, signal }),
      )
      await sleep(WORKER_SEEN_EVERY_MS, undefined, { signal })
    }
  }
  live().catch(endOf(signal))
}

/** Takes jobs, claims their windows and commits them, with time that passes where a worker would read. */
export async function work(options: SimulatedWorkerOptions): Promise<void> {
  const { database, keeper, timings, signal, rate } = options
  await using budget = sharedBudget(rate, {
    shared: sharedRates(database, { keeper })({
      origin: 'http://simulated',
      credentials: [],
      rate: rate === undefined ? undefined : JSON.stringify(rate),
    }),
    now: () => new Date(),
    origin: 'http://simulated',
    warn: () => {},
  })
  let run: string | undefined
  try {
    for (;;) {
      const job = await next(options)
      const piece = job.data as WindowPiece
      run ??= await startRun(database, {
        kind: 'backfill',
        pipeline: flow.name,
        options: { backfill: piece.backfill, [HANDED_OUT_BY]: piece.run },
        keeper,
        signal,
      })
      await readWindow(job, piece, run, {
        ...options,
        request: () => timings.of('request of the budget', () => budget.acquire(1, { paths: ['/rows'], signal })),
      })
    }
  } catch (error) {
    endOf(signal)(error)
  }
}

async function next({ queue, timings, signal, woken }: SimulatedWorkerOptions): Promise<TakenJob> {
  const name = windowQueueOf(flow, 'rows')
  for (;;) {
    signal.throwIfAborted()
    const wake = woken()
    const ready = await timings.of('look for a job', () => queue.ready())
    const job = ready.includes(name) ? await timings.of('take a job', () => queue.take(name)) : undefined
    if (job) return job
    using wait = deadline(signal, POLL_MS)
    await abortable(wake, wait.signal).catch(() => signal.throwIfAborted())
  }
}

async function readWindow(
  job: TakenJob,
  piece: WindowPiece,
  run: string,
  options: SimulatedWorkerOptions & { readonly request: () => Promise<void> },
): Promise<void> {
  const { database, queue, keeper, timings, workMs, signal, request } = options
  const touching = setInterval(
    () => void timings.of('touch', () => queue.touch(job)).catch(() => {}),
    queue.touchEveryMs,
  )
  try {
    const stream = 'rows'
    const claimed = await timings.of('claim', () =>
      nextWindow(
        { database, stream, streamName: `${flow.name}.${stream}`, emit: (event) => keeper.emit(run, event) },
        { run, keeper, backfill: piece.backfill, onlyWindows: [piece.lower], definition: 'simulated', signal },
      ),
    )
    if (claimed) {
      const { slice } = claimed
      keeper.emit(run, { type: 'slice.started', stream, slice: slice.id, resumed: false })
      await request()
      await sleep(workMs * (0.5 + Math.random()), undefined, { signal })
      await timings.of('commit', async () => {
        await using transaction = await database.transaction({ signal })
        await transaction.query('select pg_current_xact_id()')
        await transaction.commit(advanceSql(slice, slice.seq, { position: END, counts: COUNTS, rejects: [] }))
      })
      keeper.release(slice)
      const batch = { seq: slice.seq, pages: 1, bytes: 2_000, ms: workMs }
      keeper.emit(run, { type: 'batch.committed', stream, slice: slice.id, ...batch, counts: COUNTS })
      keeper.emit(run, { type: 'slice.finished', stream, slice: slice.id, counts: COUNTS })
    }
    await timings.of('complete a job', () => queue.complete(job))
  } finally {
    clearInterval(touching)
  }
}

/** An error after the end is the end. Any other one shall be seen. */
const endOf =
  (signal: AbortSignal) =>
  (error: unknown): void => {
    if (!signal.aborted) throw error
  }
