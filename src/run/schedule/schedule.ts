import type { AccountsPipeline, Pipeline } from '../../define/pipeline.ts'
import { scheduleOf, scheduleText } from '../../define/schedule/schedule.ts'
import { defined } from '../../value/defined.ts'
import { duration } from '../../value/duration.ts'
import { Semaphore } from '../../flow/semaphore.ts'
import { TaskGroup } from '../../flow/task-group.ts'
import { UsageError } from '../../model/errors.ts'
import type { RunEvent } from '../../model/event.ts'
import { knownSecrets } from '../../observe/known-secrets.ts'
import type { CatchUp, Overlap } from '../../model/recipe.ts'
import type { DurationText } from '../../value/duration.ts'
import { expandAll, expansionOf } from '../accounts/expand-accounts.ts'
import { liveAccountsOf, type LiveAccounts } from '../accounts/live-accounts.ts'
import { hasAlarms } from '../notify/notify-targets.ts'
import { watchIncidents } from '../notify/watch-incidents.ts'
import { openStore } from '../open-store.ts'
import { schemasOf, tablesOf } from '../schema-right.ts'
import { runAccountLoops } from './account-loops.ts'
import { systemClock, type Clock } from './clock.ts'
import { runScheduleLoop } from './schedule-loop.ts'
import type { ScheduleEvent } from './schedule-event.ts'
import { Ticks } from './ticks.ts'
import { messageOf } from '../../value/error.ts'

/** Options of `runSchedule()`. */
export interface ScheduleOptions {
  /** Address of the database, `postgres://…`. @default DATABASE_URL, else an embedded PostgreSQL in `.sluice/` */
  readonly database?: string | undefined
  /** Variables with secrets and settings. @default process.env */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /**
   * Handling of missed ticks, for all pipelines. @default the schedule of each pipeline, else 'last'
   */
  readonly catchUp?: CatchUp | undefined
  /**
   * Handling of a tick that is due while a run of the pipeline is active, for all pipelines. @default the schedule of
   * each pipeline, else 'skip'
   */
  readonly overlap?: Overlap | undefined
  /** Limit of one run. Complete batches are committed, and the next run continues after them. @default no limit */
  readonly timeout?: DurationText | undefined
  /** Pipelines that run at once. @default 4 */
  readonly concurrency?: number | undefined
  /**
   * Hands the streams of a due pipeline to workers (`sluice worker`). As long as no worker is alive that has the
   * pipeline in this version, the scheduler reads them itself. @default false
   */
  readonly distribute?: boolean | undefined
  /** @default the clock of the system */
  readonly clock?: Clock
  /** Called with every event of the scheduler. It must not throw. */
  readonly onEvent?: (event: ScheduleEvent) => void
  /** Called with every event of the runs. It must not throw. */
  readonly onRun?: (pipeline: string, event: RunEvent) => void
  /** Aborting it ends the scheduler and its runs within 5 s. */
  readonly signal?: AbortSignal
}

/**
 * Runs pipelines at their ticks until the signal aborts. It then stops its runs and returns. A run that fails stops
 * nothing else. Throws an error that concerns all pipelines, such as a ledger of a later version.
 *
 * The ledger records each tick. So several schedulers on one database run each tick once, and a scheduler that was down
 * finds the ticks that it missed.
 *
 * @example
 * await runSchedule([billing, forum], { database: process.env.DATABASE_URL, signal, onEvent: console.log })
 */
export async function runScheduler(
  given: readonly (Pipeline | AccountsPipeline)[],
  options: ScheduleOptions & {
    /** The accounts of the pipelines, if another part of the program keeps them fresh. @default this one does */
    readonly live?: readonly LiveAccounts[]
    /** False if another part of the program sends the alarms. @default true */
    readonly alarms?: boolean
  } = {},
): Promise<void> {
  const {
    database: url,
    environment = process.env,
    timeout,
    concurrency = 4,
    distribute = false,
    clock = systemClock,
    onEvent,
    onRun,
  } = options
  const timeoutMs = timeout === undefined ? Infinity : duration(timeout)
  const expand = { database: url, environment }
  const { pipelines, failed } = await expandAll(given, { ...expand, ...defined({ signal: options.signal }) })
  const scheduled = pipelines.map((pipeline) => {
    const own = scheduleOf(pipeline)
    if (!own)
      throw new UsageError(
        `${pipeline.name} has no schedule. Give it one, such as { schedule: '*/15 * * * *' }, or leave it out`,
      )
    return {
      pipeline,
      schedule: {
        ...own,
        ...defined({ catchUp: options.catchUp, overlap: options.overlap }),
      },
    }
  })
  if (scheduled.length === 0)
    throw new UsageError(
      "There is nothing to schedule. Give a pipeline a schedule, such as { schedule: '*/15 * * * *' }",
    )
  const emit = (event: ScheduleEvent): void => onEvent?.(event)
  const permits = new Semaphore(concurrency)
  const twice = pipelines.find(({ name }, index) => pipelines.findIndex((other) => other.name === name) < index)
  if (twice)
    throw new UsageError(
      `There are two pipelines '${twice.name}', and they would share their cursors. Rename one of them`,
    )
  try {
    await using store = await openStore({
      database: url,
      environment,
      schemas: schemasOf(tablesOf(pipelines)),
      signal: options.signal ?? new AbortController().signal,
    })
    await using group = new TaskGroup({ signal: options.signal })
    emit({
      type: 'scheduler.started',
      pipelines: scheduled.map(({ pipeline, schedule }) => ({
        pipeline: pipeline.name,
        schedule: scheduleText(pipeline) ?? '',
        next: new Ticks(schedule).next(clock.now()).toISOString(),
      })),
    })
    for (const { pipeline, message } of failed) emit({ type: 'warning', pipeline, message })
    const live =
      options.live ??
      liveAccountsOf(pipelines, {
        ...expand,
        clock,
        signal: group.signal,
        onChange: (change) => emit({ type: 'accounts.changed', ...change }),
        onProblem: (pipeline, message) => emit({ type: 'warning', pipeline, message }),
      })
    if (!options.live) for (const one of live) group.spawn((signal) => one.keepFresh(signal))
    if (options.alarms !== false && hasAlarms(given, environment)) {
      const secrets = knownSecrets(environment, url)
      const alone = pipelines.filter((one) => expansionOf(one) === undefined)
      group.spawn((signal) =>
        watchIncidents(store.database, () => [...alone, ...live.flatMap(({ known }) => known.pipelines)], {
          environment,
          secrets,
          clock,
          pings: true,
          onProblem: (message) => emit({ type: 'alarm.failed', message }),
          signal,
        }),
      )
    }
    const common = { permits, database: store.database, clock, emit, runs: expand, timeoutMs, distribute, onRun }
    for (const [definition, all] of Map.groupBy(scheduled, ({ pipeline }) => expansionOf(pipeline)?.definition)) {
      const accounts = definition && live.find((one) => one.definition === definition)
      if (accounts && all[0]) {
        const { schedule } = all[0]
        const accountPermits = new Semaphore(accounts.definition.for.concurrency)
        const terms = { ...common, schedule, overlap: schedule.overlap, accountPermits }
        runAccountLoops(accounts, { group, run: (loop) => runScheduleLoop({ ...terms, ...loop }) })
        continue
      }
      for (const { pipeline, schedule } of all)
        group.spawn((signal) => runScheduleLoop({ ...common, pipeline, schedule, overlap: schedule.overlap, signal }))
    }
    await group.join()
  } catch (error) {
    if (!options.signal?.aborted) throw error
    const { reason } = options.signal as { readonly reason: unknown }
    emit({ type: 'scheduler.stopped', reason: messageOf(reason) })
  }
}
