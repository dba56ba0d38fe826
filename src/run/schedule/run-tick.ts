import type { Database } from '../../database/database.ts'
import type { Pipeline } from '../../define/pipeline.ts'
import { deadline, TimeoutError } from '../../flow/signals/timeout.ts'
import { noteTickRun, settleTick, type HeldTick, type TickStatus } from '../../ledger/ticks.ts'
import type { RunEvent } from '../../model/event.ts'
import type { Overlap } from '../../model/recipe.ts'
import type { Report } from '../../model/report.ts'
import { readSecrets } from '../../observe/secrets.ts'
import { problemText } from '../report/problem-text.ts'
import type { RunOptions } from '../options.ts'
import { runPipeline } from '../run-pipeline.ts'
import type { Clock } from './clock.ts'
import type { ScheduleEvent } from './schedule-event.ts'

export interface RunTickOptions {
  readonly database: Database
  readonly clock: Clock
  readonly emit: (event: ScheduleEvent) => void
  /** For the runs: where, and how. */
  readonly runs: Pick<RunOptions, 'database' | 'environment' | 'memory' | 'concurrency'>
  /** Of one run, in milliseconds. */
  readonly timeoutMs: number
  readonly overlap: Overlap
  /** Told of what happens in runs. */
  readonly onRun: ((pipeline: string, event: RunEvent) => void) | undefined
  readonly signal: AbortSignal
}

/** What is stored at the end, although everything else has been asked to stop. */
const lastWordsMs = 1_000

/**
 * Run a pipeline for a tick that is ours. A run that fails is told and noted; only what concerns the ledger is thrown.
 */
export async function runTick(
  pipeline: Pipeline,
  held: HeldTick,
  late: boolean,
  options: RunTickOptions,
): Promise<void> {
  const { database, clock, emit, signal } = options
  const { tick } = held
  emit({ type: 'tick.started', pipeline: pipeline.name, tick: tick.toISOString(), late })
  const began = clock.now().getTime()
  const { status, error, report } = await runOnce(pipeline, held, options)
  // Where this cannot be stored, the run tells what became of the tick.
  const storing = settleTick(database, held, {
    status,
    note: error,
    signal: signal.aborted ? AbortSignal.timeout(lastWordsMs) : signal,
  })
  await (signal.aborted ? storing.catch(() => {}) : storing)
  const streams = Object.values(report?.streams ?? {})
  emit({
    type: 'tick.finished',
    pipeline: pipeline.name,
    tick: tick.toISOString(),
    status,
    ms: clock.now().getTime() - began,
    fetched: streams.reduce((sum, { counts }) => sum + counts.fetched, 0),
    stored: streams.reduce((sum, { counts }) => sum + counts.inserted + counts.updated, 0),
    rejected: streams.reduce((sum, { counts }) => sum + counts.rejected, 0),
    ...(report && { run: report.run }),
    ...(error !== undefined && { error }),
  })
}

interface Outcome {
  readonly status: TickStatus
  readonly error?: string | undefined
  readonly report?: Report
}

async function runOnce(
  pipeline: Pipeline,
  held: HeldTick,
  { database, runs, timeoutMs, overlap, onRun, signal }: RunTickOptions,
): Promise<Outcome> {
  using limit = deadline(signal, timeoutMs, 'The run')
  let noting: Promise<void> = Promise.resolve()
  const on = (event: RunEvent): void => {
    // Until this is stored, others take us for gone after a minute; that it fails shows when the tick is settled.
    if (event.type === 'run.started') noting = noteTickRun(database, held, event.run, { signal }).catch(() => {})
    onRun?.(pipeline.name, event)
  }
  try {
    const report = await runPipeline(pipeline, { ...runs, overlap, onEvent: on, signal: limit.signal })
    await noting
    return { report, ...outcomeOf(report, limit.signal, signal) }
  } catch (error) {
    await noting
    if (signal.aborted) return { status: 'interrupted' }
    return {
      status: 'failed',
      error: readSecrets(runs.environment ?? process.env).hide(problemText(error, pipeline.name)),
    }
  }
}

function outcomeOf({ status, streams }: Report, limit: AbortSignal, signal: AbortSignal): Omit<Outcome, 'report'> {
  if (status === 'interrupted') {
    const { reason } = limit as { readonly reason: unknown }
    return !signal.aborted && reason instanceof TimeoutError
      ? {
          status: 'failed',
          error: `${reason.message}; what was whole is committed, and the next run goes on from there`,
        }
      : { status: 'interrupted' }
  }
  const all = Object.entries(streams)
  if (all.length > 0 && all.every(([, stream]) => stream.status === 'not run'))
    return { status: 'skipped', error: 'another run is reading all of its streams' }
  const errors = all.flatMap(([name, { error }]) => (error === undefined ? [] : [`${name}: ${error}`]))
  return { status, ...(errors.length > 0 && { error: errors.join('\n') }) }
}
