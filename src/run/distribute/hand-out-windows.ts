import { randomUUID } from 'node:crypto'
import type { Database } from '../../database/database.ts'
import { sleep } from '../../flow/signals/sleep.ts'
import { takeWindowsBack } from '../../ledger/pieces.ts'
import { readWindows } from '../../ledger/read/read-windows.ts'
import { requestStop } from '../../ledger/runs.ts'
import { windowsLeft, type ClaimWindowOptions, type WindowsLeft } from '../../ledger/slices/windows.ts'
import { LoadError } from '../../model/errors.ts'
import type { RunEvent } from '../../model/event.ts'
import type { Report } from '../../model/report.ts'
import type { WorkQueue } from '../../queue/queue.ts'
import { messageOf } from '../../value/error.ts'
import { instantText } from '../backfill/calendar-windows.ts'
import { schemasOf } from '../schema-right.ts'
import type { StreamContext } from '../stream-context.ts'
import { FailuresInARow } from '../sync/failures-in-a-row.ts'
import { eventsAfter } from './events-after.ts'
import { findWorkers } from './find-workers.ts'
import { openWorkQueue } from './open-work-queue.ts'
import { windowQueueOf } from './piece.ts'
import { untilItPasses } from './until-it-passes.ts'
import { HANDED_OUT_BY, type WindowOptions, type WindowPiece } from './window-piece.ts'

export interface HandOutWindowsOptions {
  /** Which windows are read, and by which run. */
  readonly claiming: Omit<ClaimWindowOptions, 'signal'>
  readonly options: WindowOptions
  /** Reads in this process the windows that are left. */
  readonly here: () => Promise<void>
  /** Called with a sentence on who does the work. */
  readonly onNote: (note: string) => void
}

const LOOK_MS = 500
const MISSING_LOOKS = 3
const STOP_MS = 4_000
/** Time for the runs of the workers to end, and to store their reports and last events. */
const LAST_WORDS_MS = 8_000
const JOBS_AT_ONCE = 1_000

/**
 * Hands the windows of a backfill to workers, a job for each, and waits until none is left to read. The slices say
 * which are. Reads them in this process as long as no worker is alive that has the pipeline, and if jobs are lost.
 */
export async function handOutWindows(stream: StreamContext, options: HandOutWindowsOptions): Promise<void> {
  const { database, streamName } = stream
  const { here, onNote, claiming } = options
  const { pipeline } = stream.run.context
  const { able } = await findWorkers(database, pipeline)
  if (able.length === 0) {
    onNote(`${streamName}: no worker is alive that has it; this process reads the windows`)
    return here()
  }
  const { backfill, only, onlyWindows } = claiming
  const windows = (await readWindows(database, backfill, { only, onlyWindows, signal: stream.readSignal })).filter(
    ({ isSelected }) => isSelected,
  )
  onNote(`${streamName}: ${windows.length} windows handed to ${able.map(({ name }) => name).join(', ')}`)
  await using queue = await openWorkQueue(database, { schemas: schemasOf([stream.table]) })
  const jobs = windows.map(({ lower }) => ({ id: randomUUID(), lower: instantText(lower) }))
  const handed = new HandedOutWindows(stream, queue, options, {
    ids: jobs.map(({ id }) => id),
    slices: new Map(windows.map(({ slice, lower }) => [slice, instantText(lower)])),
  })
  const piece = {
    kind: 'window',
    pipeline: pipeline.name,
    stream: stream.stream,
    backfill,
    run: stream.run.id,
  } as const
  try {
    for (let start = 0; start < jobs.length; start += JOBS_AT_ONCE)
      await queue.send(
        windowQueueOf(pipeline, stream.stream),
        jobs
          .slice(start, start + JOBS_AT_ONCE)
          .map(({ id, lower }) => ({ id, data: { ...piece, lower, options: options.options } satisfies WindowPiece })),
      )
    await handed.wait()
  } catch (error) {
    await handed.stop()
    throw error
  }
}

const OF_RUNS: ReadonlySet<RunEvent['type']> = new Set([
  'run.started',
  'run.finished',
  'stream.finished',
  'stream.failed',
  'gauge',
])

/** What is left of the windows. `hasJobs` and `isAlone` are looked up only if some are left and none is read. */
interface Look extends WindowsLeft {
  readonly isIdle: boolean
  readonly hasJobs: boolean
  /** No worker is alive that could read them. */
  readonly isAlone: boolean
}

/** The run of a worker that reads windows for this one. */
interface ReadingRun {
  readonly id: string
  readonly status: string
  readonly error: string | null
}

class HandedOutWindows {
  readonly #stream: StreamContext
  readonly #queue: WorkQueue
  readonly #options: HandOutWindowsOptions
  readonly #ids: readonly string[]
  /** Lower bounds of windows of which no end was seen yet, by slice. */
  readonly #unseen: Map<string, string>
  /** The last event of each run that was passed on. */
  readonly #events = new Map<string, string>()
  readonly #failures: FailuresInARow

  constructor(
    stream: StreamContext,
    queue: WorkQueue,
    options: HandOutWindowsOptions,
    { ids, slices }: { readonly ids: readonly string[]; readonly slices: Map<string, string> },
  ) {
    this.#stream = stream
    this.#queue = queue
    this.#options = options
    this.#ids = ids
    this.#unseen = slices
    this.#failures = new FailuresInARow(stream, 'window')
  }

  get #database(): Database {
    return this.#stream.database
  }

  /** Waits until no window is left. Throws if a worker has met an error that all windows would meet. */
  async wait(): Promise<void> {
    const { readSignal: signal } = this.#stream
    const { here, onNote } = this.#options
    for (let missing = 0; ;) {
      const { free, heldByOthers, isIdle, hasJobs, isAlone } = await this.#patiently(() => this.#look())
      if (free === 0 && heldByOthers === 0) break
      missing = isIdle && !hasJobs ? missing + 1 : 0
      if ((isIdle && isAlone) || missing >= MISSING_LOOKS) {
        const why = isAlone ? 'no worker is alive that has it' : 'the jobs of its windows are gone'
        onNote(`${this.#stream.streamName}: ${why}; this process reads the windows that are left`)
        await this.#patiently(() => this.#removeJobs())
        await here()
        break
      }
      await sleep(LOOK_MS, { signal })
    }
    await this.#takeReports(signal)
  }

  /** Passes on what the runs of the workers have done, and looks at what is left. */
  async #look(): Promise<Look> {
    const { readSignal: signal, run } = this.#stream
    await this.#follow(signal)
    const left = await windowsLeft(this.#database, { ...this.#options.claiming, signal })
    const isIdle = left.free > 0 && left.heldByOthers === 0
    // While windows are read nobody needs to know, and a backfill may have 100,000 jobs.
    if (!isIdle) return { ...left, isIdle, hasJobs: true, isAlone: false }
    const hasJobs = (await this.#queue.pending(this.#ids)).size > 0
    const { able } = await findWorkers(this.#database, run.context.pipeline)
    return { ...left, isIdle, hasJobs, isAlone: able.length === 0 }
  }

  /** Repeats what fails by an error of the database that may pass: the workers go on meanwhile. */
  #patiently<Result>(work: () => Promise<Result>): Promise<Result> {
    const onError = (error: unknown): void =>
      this.#stream.warn(`the ledger cannot be read just now: ${messageOf(error)}`)
    return untilItPasses(work, { onError, signal: this.#stream.readSignal })
  }

  /** Waits for the runs of the workers, and adds to the report what only they know. */
  async #takeReports(signal: AbortSignal): Promise<void> {
    const { run, stream, tally } = this.#stream
    for (let waited = 0; waited < LAST_WORDS_MS; waited += LOOK_MS) {
      const runs = await this.#patiently(() => this.#follow(signal))
      if (this.#unseen.size === 0 && !runs.some(({ status }) => status === 'running')) break
      await sleep(LOOK_MS, { signal })
    }
    const reports = await this.#patiently(() =>
      this.#database.query<{ report: Report }>(
        `select report from sluice.runs where id = any ($1::bigint[]) and id <> $2 and report is not null`,
        [[...this.#events.keys()], run.id],
        { signal },
      ),
    )
    for (const { report } of reports) if (report.streams[stream]) tally.readElsewhere(report.streams[stream])
  }

  /** Takes back what nobody has begun, and waits until the runs of the workers have stopped. */
  async stop(): Promise<void> {
    const signal = AbortSignal.timeout(STOP_MS)
    const stop = async (): Promise<void> => {
      await this.#removeJobs()
      // A worker that has just taken one finds this when its run begins.
      await takeWindowsBack(
        this.#database,
        { run: this.#stream.run.id, backfill: this.#options.claiming.backfill },
        signal,
      )
      for (;;) {
        const running = (await this.#runs(signal)).filter(({ status }) => status === 'running')
        for (const { id } of running) await requestStop(this.#database, id)
        const { heldByOthers } = await windowsLeft(this.#database, { ...this.#options.claiming, signal })
        if (running.length === 0 || heldByOthers === 0) break
        await sleep(LOOK_MS / 2, { signal })
      }
      await this.#pass(await this.#runs(signal), signal)
    }
    // What is not done is open, and the same backfill goes on with it.
    await untilItPasses(stop, { signal }).catch(() => {})
  }

  async #removeJobs(): Promise<void> {
    const { run, stream } = this.#stream
    await this.#queue.remove(windowQueueOf(run.context.pipeline, stream), this.#ids)
  }

  /** The runs that read windows of this backfill. Another stream of this run has another backfill. */
  async #runs(signal: AbortSignal): Promise<ReadingRun[]> {
    const { run, pipeline } = this.#stream
    return this.#database.query<{ id: string; status: string; error: string | null }>(
      `select id, status, error from sluice.runs
        where pipeline = $1 and kind = 'backfill' and id > $2 and options ->> '${HANDED_OUT_BY}' = $2::text
          and options ->> 'backfill' = $3
        order by id`,
      [pipeline, run.id, this.#options.claiming.backfill],
      { signal },
    )
  }

  async #follow(signal: AbortSignal): Promise<readonly ReadingRun[]> {
    const runs = await this.#runs(signal)
    await this.#pass(runs, signal)
    const failed = runs.find(({ status }) => status === 'failed')
    if (failed) throw new LoadError(failed.error ?? `run ${failed.id}, which read windows of it, has failed`)
    return runs
  }

  /** Passes on what the runs of the workers have done since the last look, and counts it. */
  async #pass(runs: readonly ReadingRun[], signal: AbortSignal): Promise<void> {
    for (const { id: run } of runs) {
      const after = this.#events.get(run) ?? '0'
      for await (const { id, event } of eventsAfter(this.#database, { run, after, signal })) {
        this.#events.set(run, id)
        this.#count(event)
      }
    }
  }

  #count(event: RunEvent): void {
    const { tally, run } = this.#stream
    // Those of the runs themselves: this run has its own.
    if (OF_RUNS.has(event.type)) return
    run.meter.event(event)
    // Requests and waits are in the reports of the runs.
    if (event.type === 'warning') tally.event(event)
    run.context.onEvent?.(event)
    if (event.type === 'batch.committed') tally.committed(event.counts, {})
    if (event.type !== 'slice.finished' && event.type !== 'slice.failed') return
    const lower = this.#unseen.get(event.slice) ?? event.slice
    this.#unseen.delete(event.slice)
    if (event.type === 'slice.finished') tally.sliceFinished(event.completeness)
    const error = event.type === 'slice.failed' ? new LoadError(event.error) : undefined
    this.#failures.note(error, lower)
  }
}
