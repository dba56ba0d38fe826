import type { Database } from '../../database/database.ts'
import type { Pipeline } from '../../define/pipeline.ts'
import { deadline, TimeoutError } from '../../flow/signals/timeout.ts'
import {
  isTickHandedOut,
  noteTickRun,
  renewHandedOutTick,
  settleTick,
  type HeldTick,
  type TickStatus,
} from '../../ledger/ticks.ts'
import { PausedError } from '../../model/errors.ts'
import type { RunEvent } from '../../model/event.ts'
import type { Overlap } from '../../model/recipe.ts'
import type { Report } from '../../model/report.ts'
import { knownSecrets } from '../../observe/known-secrets.ts'
import { readSecrets } from '../../observe/secrets.ts'
import { openStreams } from '../../model/open-streams.ts'
import { environmentOf } from '../accounts/environment-of.ts'
import { runDistributed } from '../distribute/run-distributed.ts'
import { problemText } from '../report/problem-text.ts'
import type { RunOptions } from '../options.ts'
import { runPipeline } from '../run-pipeline.ts'
import { defined } from '../../value/defined.ts'
import type { Clock } from './clock.ts'
import type { ScheduleEvent } from './schedule-event.ts'

export interface RunTickOptions {
  readonly database: Database
  readonly clock: Clock
  readonly emit: (event: ScheduleEvent) => void
  /** Options of the runs. */
  readonly runs: Pick<RunOptions, 'database' | 'environment' | 'memory' | 'concurrency'>
  /** Milliseconds that one run may take. */
  readonly timeoutMs: number
  readonly overlap: Overlap
  /** Workers read the streams, as long as one is alive that can. @default false */
  readonly distribute?: boolean
  /** Called with the events of the runs. */
  readonly onRun: ((pipeline: string, event: RunEvent) => void) | undefined
  readonly signal: AbortSignal
}

/** Time to store the end of a tick after the signal has aborted. */
const FINAL_WRITE_MS = 1_000
/** Interval between two renewals of a tick that was handed out. Four in a row must fail until it counts as dead. */
const RENEW_MS = 15_000

/**
 * Runs a pipeline for a claimed tick. A run that fails is emitted and recorded, and so is an error in place of the
 * pipeline. Throws only errors of the ledger.
 */
export async function runTick(
  given: Pipeline | Error,
  held: HeldTick,
  late: boolean,
  options: RunTickOptions,
): Promise<void> {
  const { database, clock, emit, signal } = options
  const { pipeline, tick } = held
  emit({ type: 'tick.started', pipeline, tick: tick.toISOString(), late })
  const startedMs = clock.now().getTime()
  const { status, error, report } = Error.isError(given)
    ? ({ status: 'failed', error: hideKnown(problemText(given, pipeline), options) } satisfies Outcome)
    : await runOnce(given, held, options)
  // If this cannot be stored, the status of the run decides about the tick.
  const storing = settleTick(database, held, {
    status,
    note: error,
    signal: signal.aborted ? AbortSignal.timeout(FINAL_WRITE_MS) : signal,
  })
  await (signal.aborted ? storing.catch(() => {}) : storing)
  const streams = Object.values(report?.streams ?? {})
  const open = openStreams(report?.streams ?? {})
  emit({
    type: 'tick.finished',
    pipeline,
    tick: tick.toISOString(),
    status,
    ms: clock.now().getTime() - startedMs,
    fetched: streams.reduce((sum, { counts }) => sum + counts.fetched, 0),
    stored: streams.reduce((sum, { counts }) => sum + counts.inserted + counts.updated, 0),
    rejected: streams.reduce((sum, { counts }) => sum + counts.rejected, 0),
    // A report that several runs share has none if it was stopped before the first one began.
    ...defined({ run: report?.run === '' ? undefined : report?.run, open: open.length > 0 ? open : undefined, error }),
  })
}

const hideKnown = (text: string, { runs: { environment = process.env, database } }: RunTickOptions): string =>
  knownSecrets(environment, database).hide(text)

interface Outcome {
  readonly status: TickStatus
  readonly error?: string | undefined
  readonly report?: Report | undefined
}

async function runOnce(pipeline: Pipeline, held: HeldTick, options: RunTickOptions): Promise<Outcome> {
  const { database, runs, timeoutMs, overlap, distribute = false, emit, onRun, signal } = options
  using limit = deadline(signal, timeoutMs, 'The run')
  using renewing = new DisposableStack()
  let isHandedOut = false
  let noting: Promise<void> = Promise.resolve()
  const onEvent = (event: RunEvent): void => {
    // Until this is stored, other schedulers take this one for gone after 60 s. A failure shows as the tick is settled.
    if (event.type === 'run.started')
      noting = noteTickRun(database, held, event.run, { isHandedOut, signal }).catch(() => {})
    onRun?.(pipeline.name, event)
  }
  const renew = (): Promise<string> => renewHandedOutTick(database, held, { signal })
  const onHandOut = async (): Promise<string> => {
    isHandedOut = true
    const pieces = await renew()
    renewing.adopt(
      setInterval(() => void renew().catch(() => {}), RENEW_MS),
      clearInterval,
    )
    return pieces
  }
  const tick = held.tick.toISOString()
  const onNote = (message: string): void => emit({ type: 'tick.note', pipeline: pipeline.name, tick, message })
  const given = { ...runs, overlap, onEvent, signal: limit.signal }
  try {
    const report = distribute
      ? await runDistributed(pipeline, {
          ...given,
          onNote,
          onHandOut,
          isHandedOut: await isTickHandedOut(database, held, { signal: limit.signal }),
        })
      : await runPipeline(pipeline, given)
    await noting
    return { report, ...outcomeOf(report, limit.signal, signal) }
  } catch (error) {
    await noting
    if (signal.aborted) return { status: 'interrupted' }
    if (error instanceof PausedError) return { status: 'skipped', error: error.message }
    return {
      status: 'failed',
      error: readSecrets(environmentOf(pipeline, runs.environment)).hide(problemText(error, pipeline.name)),
    }
  }
}

function outcomeOf({ status, streams }: Report, limit: AbortSignal, signal: AbortSignal): Omit<Outcome, 'report'> {
  if (status === 'interrupted') {
    const { reason } = limit as { readonly reason: unknown }
    return !signal.aborted && reason instanceof TimeoutError
      ? {
          status: 'failed',
          error: `${reason.message}. Complete batches are committed, and the next run continues after them`,
        }
      : { status: 'interrupted' }
  }
  const all = Object.entries(streams)
  if (all.length > 0 && all.every(([, stream]) => stream.status === 'not run'))
    return { status: 'skipped', error: 'another run is reading all of its streams' }
  const errors = all.flatMap(([name, { error }]) => (error === undefined ? [] : [`${name}: ${error}`]))
  return { status, ...(errors.length > 0 && { error: errors.join('\n') }) }
}
