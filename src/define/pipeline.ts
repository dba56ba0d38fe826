import { UsageError } from '../model/errors.ts'
import type { Cron, Schedule } from '../model/recipe.ts'
import { Flow } from './flow.ts'
import { checkedSchedule } from './schedule.ts'

export type Flows = Readonly<Record<string, Flow<unknown>>>

export interface PipelineOptions<Streams extends Flows> {
  /**
   * When it runs by itself: five fields of cron, in UTC unless a zone is said. `sluice schedule` starts it, or your own
   * scheduler by what `sluice schedule --print` writes. @default on command only
   */
  schedule?: Cron | Schedule
  streams: Streams
}

/** Flows that run together, under one name. */
export interface Pipeline<Streams extends Flows = Flows> extends Readonly<PipelineOptions<Streams>> {
  readonly name: string
}

/** What a pipeline file exports as its default. */
export function pipeline<Streams extends Flows>(name: string, options: PipelineOptions<Streams>): Pipeline<Streams> {
  const place = `pipeline(${JSON.stringify(name)})`
  if (typeof name !== 'string' || !word.test(name))
    throw new UsageError(`${place}: a name is letters, digits, '-' and '_', since commands and tables repeat it`)
  const { schedule, streams } = options
  const checked = schedule === undefined ? undefined : checkedSchedule(schedule, place)
  const replaced = new Map<string, string>()
  for (const [stream, flow] of Object.entries(streams)) {
    if (!word.test(stream))
      throw new UsageError(
        `${place}: the stream ${JSON.stringify(stream)} must be named by letters, digits, '-' and '_', since commands repeat it`,
      )
    if (!(flow instanceof Flow))
      throw new UsageError(`${place}: the stream ${stream} lands nowhere: end its chain with .into('schema.table', …)`)
    const { name: table, write } = flow.table
    const other = replaced.get(table)
    if (other !== undefined && (write === 'replace' || streams[other]?.table.write === 'replace'))
      throw new UsageError(
        `${place}: ${other} and ${stream} both land in ${table}, which one of them replaces as a whole: give each its own table`,
      )
    replaced.set(table, stream)
  }
  return Object.freeze({
    name,
    ...options,
    ...(checked !== undefined && { schedule: checked }),
    streams: Object.freeze(streams),
  })
}

const word = /^[A-Za-z0-9_][\w-]*$/
