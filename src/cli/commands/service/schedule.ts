import { scheduleOf } from '../../../define/schedule/schedule.ts'
import { withoutAccount } from '../../../model/account.ts'
import { UsageError } from '../../../model/errors.ts'
import type { CatchUp, Overlap } from '../../../model/recipe.ts'
import type { Duration } from '../../../model/request.ts'
import type { FoundPipeline } from '../../../run/find-pipelines.ts'
import type { OtherScheduler } from '../../../run/schedule/print/print-schedule.ts'
import type { ScheduleEvent } from '../../../run/schedule/schedule-event.ts'
import { runScheduler } from '../../../run/schedule/schedule.ts'
import { defined } from '../../../value/defined.ts'
import type { CommandContext, CommonOptions } from '../../execute-command.ts'
import { scheduleLine } from '../../output/schedule-line.ts'
import { findAccounts } from '../sync/run-accounts.ts'
import { printError } from '../../output/print-error.ts'
import { eventLog, type EventLog } from '../../progress/event-log.ts'
import { runsProgress } from '../../progress/runs-progress.ts'

export interface ScheduleCommandOptions extends CommonOptions {
  readonly catchUp?: CatchUp
  readonly overlap?: Overlap
  readonly timeout?: Duration
  readonly concurrency?: number
  readonly distribute?: boolean
  readonly print?: OtherScheduler
  readonly into?: string
  readonly image?: string
  readonly json?: boolean
}

/** `sluice schedule`: runs pipelines at their ticks until it is stopped, or prints files for another scheduler. */
export async function scheduleCommand(
  [words]: [string[]],
  options: ScheduleCommandOptions,
  context: CommandContext,
): Promise<number> {
  const { signal, verbose, hide } = context
  const { catchUp, overlap, timeout, concurrency, distribute, print, into, image, database } = options
  const { found: all, failed } = await findAccounts(words, { database }, context)
  const found = withSchedule(all, words.length > 0)
  if (print)
    return (await import('./print-schedule.ts')).printScheduleCommand(withoutAccounts(found), { ...options, print })
  for (const error of failed) printError(error, context)
  if (into !== undefined || image !== undefined)
    throw new UsageError(`--${into === undefined ? 'image' : 'into'} needs --print`)
  // Accounts may be added while it runs.
  const logs = new Map<string, EventLog>()
  const logOf = (name: string): EventLog => {
    const log = logs.get(name) ?? eventLog(name, process.stdout, { verbose })
    logs.set(name, log)
    return log
  }
  const isJson = options.json === true
  using runs = runsProgress((line) => console.log(line))
  await runScheduler(
    found.map(({ pipeline }) => pipeline),
    {
      ...defined({ timeout }),
      signal,
      database,
      catchUp,
      overlap,
      concurrency,
      distribute,
      onEvent: (event) => console.log(hide(isJson ? jsonLine(event) : scheduleLine(event))),
      ...(verbose && {
        onRun: (pipeline, event) => (isJson ? logOf(pipeline).on(event) : runs.on(pipeline, event)),
      }),
    },
  )
  return 0
}

const jsonLine = (event: ScheduleEvent): string =>
  JSON.stringify({ level: levelOf(event), time: new Date().toISOString(), ...event })

const WARNINGS: ReadonlySet<ScheduleEvent['type']> = new Set([
  'warning',
  'ticks.missed',
  'tick.skipped',
  'alarm.failed',
])

function levelOf(event: ScheduleEvent): 'info' | 'warn' | 'error' {
  if ('status' in event && event.status === 'failed') return 'error'
  const isOpen = event.type === 'tick.finished' && event.open !== undefined
  const isWarning = isOpen || WARNINGS.has(event.type)
  return isWarning ? 'warn' : 'info'
}

/** Returns a pipeline of several accounts once, with the streams of all: another scheduler runs them by its name. */
const withoutAccounts = (found: readonly FoundPipeline[]): FoundPipeline[] =>
  [...Map.groupBy(found, ({ pipeline }) => withoutAccount(pipeline.name))].flatMap(([name, all]) => {
    const [first, ...others] = all
    if (!first?.pipeline.account) return first ? [first, ...others] : []
    const flows = all.flatMap(({ pipeline }) =>
      Object.entries(pipeline.streams).map(([stream, flow]) => [`${pipeline.account?.name}.${stream}`, flow] as const),
    )
    return [{ ...first, pipeline: { ...first.pipeline, name, streams: Object.fromEntries(flows) } }]
  })

/** Returns the pipelines that have a schedule. A pipeline that was named must have one. */
function withSchedule(found: readonly FoundPipeline[], named: boolean): FoundPipeline[] {
  for (const { pipeline, streams: [stream] = [] } of found)
    if (stream !== undefined)
      throw new UsageError(
        `${pipeline.name}.${stream}: only a whole pipeline can be scheduled, with all of its streams: ` +
          `give ${pipeline.name}`,
      )
  const without = found.filter(({ pipeline }) => !scheduleOf(pipeline))
  if (named && without.length > 0)
    throw new UsageError(
      `${without.map(({ pipeline }) => pipeline.name).join(', ')} has no schedule: ` +
        `add one, as in { schedule: '*/15 * * * *' }, or do not name it`,
    )
  return found.filter((one) => !without.includes(one))
}
