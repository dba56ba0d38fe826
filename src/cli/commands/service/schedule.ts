import { scheduleOf } from '../../../define/schedule.ts'
import { UsageError } from '../../../model/errors.ts'
import type { CatchUp, Overlap } from '../../../model/recipe.ts'
import { findPipelines, type FoundPipeline } from '../../../run/find-pipelines.ts'
import type { OtherScheduler } from '../../../run/schedule/print/print-schedule.ts'
import { runSchedule } from '../../../run/schedule/schedule.ts'
import type { CommonOptions, CommandContext } from '../../execute-command.ts'
import { eventLog } from '../../progress/event-log.ts'
import { scheduleLine } from '../../output/schedule-line.ts'
import { parseTimeout } from '../sync/run.ts'

export interface ScheduleCommandOptions extends CommonOptions {
  readonly catchUp?: CatchUp
  readonly overlap?: Overlap
  readonly timeout?: string
  readonly concurrency?: number
  readonly print?: OtherScheduler
  readonly into?: string
  readonly image?: string
  readonly json?: boolean
}

/** `sluice schedule`: run pipelines at their ticks until it is stopped; or print files for another scheduler. */
export async function scheduleCommand(
  [words]: [string[]],
  options: ScheduleCommandOptions,
  { signal, verbose, hide }: CommandContext,
): Promise<number> {
  const { catchUp, overlap, timeout, concurrency, print, into, image, database } = options
  if (timeout !== undefined) parseTimeout(timeout)
  const found = scheduled(await findPipelines(words), words.length > 0)
  if (print) return (await import('./print-schedule.ts')).printScheduleCommand(found, { ...options, print })
  if (into !== undefined || image !== undefined)
    throw new UsageError(`--${into === undefined ? 'image' : 'into'} goes with --print`)
  const logs = new Map(found.map(({ pipeline: { name } }) => [name, eventLog(name, process.stdout, { verbose })]))
  const isJson = options.json === true || !process.stdout.isTTY
  await runSchedule(
    found.map(({ pipeline }) => pipeline),
    {
      signal,
      database,
      catchUp,
      overlap,
      concurrency,
      ...(timeout !== undefined && { timeout: timeout as `${number}m` }),
      onEvent: (event) =>
        console.log(
          hide(
            isJson
              ? JSON.stringify({ level: levelOf(event), time: new Date().toISOString(), ...event })
              : scheduleLine(event),
          ),
        ),
      ...(verbose && { onRun: (pipeline, event) => logs.get(pipeline)?.on(event) }),
    },
  )
  return 0
}

type Told = Parameters<typeof scheduleLine>[0]

const levelOf = (event: Told): 'info' | 'warn' | 'error' =>
  'status' in event && event.status === 'failed'
    ? 'error'
    : event.type === 'warning' || event.type === 'ticks.missed' || event.type === 'tick.skipped'
      ? 'warn'
      : 'info'

/** Those that have a schedule; one that was named must have it. */
function scheduled(found: readonly FoundPipeline[], named: boolean): FoundPipeline[] {
  const parts = found.find(({ streams }) => streams !== undefined)
  if (parts)
    throw new UsageError(
      `${parts.pipeline.name}.${parts.streams![0]}: a schedule is a pipeline's, with all of its streams: name ${parts.pipeline.name}`,
    )
  const without = found.filter(({ pipeline }) => !scheduleOf(pipeline))
  if (named && without.length > 0)
    throw new UsageError(
      `${without.map(({ pipeline }) => pipeline.name).join(', ')} has no schedule: give it one, as in { schedule: '*/15 * * * *' }, or leave it out`,
    )
  return found.filter((one) => !without.includes(one))
}
