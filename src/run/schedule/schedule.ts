import type { Pipeline } from '../../define/pipeline.ts'
import { scheduleOf, scheduleText } from '../../define/schedule/schedule.ts'
import { duration } from '../../value/duration.ts'
import { Semaphore } from '../../flow/semaphore.ts'
import { TaskGroup } from '../../flow/task-group.ts'
import { UsageError } from '../../model/errors.ts'
import type { RunEvent } from '../../model/event.ts'
import type { CatchUp, Overlap } from '../../model/recipe.ts'
import type { DurationText } from '../../value/duration.ts'
import { openStore } from '../open-store.ts'
import { wallClock, type Clock } from './clock.ts'
import { runScheduleLoop } from './schedule-loop.ts'
import type { ScheduleEvent } from './schedule-event.ts'
import { Ticks } from './ticks.ts'
import { messageOf } from '../../value/error.ts'

export interface ScheduleOptions {
  /** Where the tables are, as `postgres://…`. @default DATABASE_URL, else an embedded PostgreSQL kept in `.sluice/` */
  readonly database?: string | undefined
  /** Where secrets and settings are looked up. @default process.env */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /**
   * For all pipelines, whatever they say themselves: what becomes of ticks that were missed. @default what each
   * pipeline says, else 'last'
   */
  readonly catchUp?: CatchUp | undefined
  /**
   * For all pipelines: what becomes of a tick that comes while the pipeline is still running, or while another program
   * runs it. @default what each pipeline says, else 'skip'
   */
  readonly overlap?: Overlap | undefined
  /** Of one run: what is whole is committed, and the next one goes on from there. @default no limit */
  readonly timeout?: DurationText | undefined
  /** Pipelines that run at once. @default 4 */
  readonly concurrency?: number | undefined
  /** @default the clock on the wall */
  readonly clock?: Clock
  /** Called with everything that the scheduler does; it must not throw. */
  readonly onEvent?: (event: ScheduleEvent) => void
  /** Called with what happens in the runs that it starts; it must not throw. */
  readonly onRun?: (pipeline: string, event: RunEvent) => void
  /** Ends it, and what it runs, within 5 s. */
  readonly signal?: AbortSignal
}

/**
 * Run pipelines at their ticks until the signal aborts, which is its one regular end: then it has stopped all it had
 * started, and answers. A run that fails stops nothing; what concerns all (a ledger that this version does not know)
 * ends all together, and is thrown.
 *
 * The ledger holds what became of each tick, so several schedulers on one database run each tick once, and one that was
 * down knows what it missed.
 *
 * @example
 * await runSchedule([billing, forum], { database: process.env.DATABASE_URL, signal, onEvent: console.log })
 */
export async function runScheduler(pipelines: readonly Pipeline[], options: ScheduleOptions = {}): Promise<void> {
  const {
    database: url,
    environment = process.env,
    timeout,
    concurrency = 4,
    clock = wallClock,
    onEvent,
    onRun,
  } = options
  const timeoutMs = timeout === undefined ? Infinity : duration(timeout)
  const scheduled = pipelines.map((pipeline) => {
    const own = scheduleOf(pipeline)
    if (!own)
      throw new UsageError(
        `${pipeline.name} has no schedule: give it one, as in { schedule: '*/15 * * * *' }, or leave it out`,
      )
    return {
      pipeline,
      schedule: {
        ...own,
        ...(options.catchUp && { catchUp: options.catchUp }),
        ...(options.overlap && { overlap: options.overlap }),
      },
    }
  })
  if (scheduled.length === 0)
    throw new UsageError("There is nothing to schedule: give a pipeline a schedule, as in { schedule: '*/15 * * * *' }")
  const emit = (event: ScheduleEvent): void => onEvent?.(event)
  const permits = new Semaphore(concurrency)
  const twice = pipelines.find(({ name }, index) => pipelines.findIndex((other) => other.name === name) < index)
  if (twice)
    throw new UsageError(`There are two pipelines '${twice.name}': rename one, since they would share their cursors`)
  try {
    await using store = await openStore({
      database: url,
      environment,
      signal: options.signal ?? new AbortController().signal,
    })
    await using group = new TaskGroup({ signal: options.signal })
    emit({
      type: 'scheduler.started',
      pipelines: scheduled.map(({ pipeline, schedule }) => ({
        pipeline: pipeline.name,
        schedule: scheduleText(pipeline)!,
        next: new Ticks(schedule).next(clock.now()).toISOString(),
      })),
    })
    for (const { pipeline, schedule } of scheduled) {
      const runs = { database: url, environment }
      group.spawn((signal) =>
        runScheduleLoop({
          pipeline,
          schedule,
          permits,
          database: store.database,
          clock,
          emit,
          runs,
          timeoutMs,
          overlap: schedule.overlap,
          onRun,
          signal,
        }),
      )
    }
    await group.join()
  } catch (error) {
    if (!options.signal?.aborted) throw error
    const { reason } = options.signal as { readonly reason: unknown }
    emit({ type: 'scheduler.stopped', reason: messageOf(reason) })
  }
}
