import { UsageError } from '../model/errors.ts'
import type { Cron, Schedule } from '../model/recipe.ts'
import { defined } from '../value/defined.ts'
import { Flow } from './flow.ts'
import { checkedSchedule } from './schedule/schedule.ts'

export type Flows = Readonly<Record<string, Flow<unknown>>>

export interface PipelineOptions<Streams extends Flows> {
  /**
   * The times at which the pipeline runs: five fields of cron, in UTC unless a zone is given. `sluice schedule` starts
   * it, or your own scheduler with the output of `sluice schedule --print`. @default only when you run it
   */
  schedule?: Cron | Schedule
  streams: Streams
}

/**
 * Flows that run together under one name: what `pipeline()` returns.
 *
 * @example
 * const billing: Pipeline = pipeline('billing', { streams: { customers } })
 */
export interface Pipeline<Streams extends Flows = Flows> extends Readonly<PipelineOptions<Streams>> {
  readonly name: string
}

/**
 * Names flows that run together. A pipeline file exports it as its default.
 *
 * @example
 * export default pipeline('billing', {
 *   schedule: '0 * * * *',
 *   streams: { customers: customers.into('billing.customers', { key: 'id' }) },
 * })
 */
export function pipeline<Streams extends Flows>(name: string, options: PipelineOptions<Streams>): Pipeline<Streams> {
  const place = `pipeline(${JSON.stringify(name)})`
  if (typeof name !== 'string' || !word.test(name))
    throw new UsageError(
      `${place}: a name consists of letters, digits, '-' and '_', because commands and tables repeat it`,
    )
  const { schedule, streams } = options
  const checked = schedule === undefined ? undefined : checkedSchedule(schedule, place)
  const replaced = new Map<string, string>()
  for (const [stream, flow] of Object.entries(streams)) {
    if (!word.test(stream))
      throw new UsageError(
        `${place}: the name of the stream ${JSON.stringify(stream)} must consist of letters, digits, '-' and '_', ` +
          'because commands repeat it',
      )
    if (!(flow instanceof Flow))
      throw new UsageError(`${place}: the stream ${stream} has no table. End its chain with .into('schema.table', …)`)
    const { name: table, write } = flow.table
    const other = replaced.get(table)
    if (other !== undefined && (write === 'replace' || streams[other]?.table.write === 'replace'))
      throw new UsageError(
        `${place}: ${other} and ${stream} both write to ${table}, and one of them replaces all of its rows. ` +
          'Give each its own table',
      )
    replaced.set(table, stream)
  }
  return Object.freeze({
    name,
    ...options,
    ...defined({ schedule: checked }),
    streams: Object.freeze(streams),
  })
}

const word = /^[A-Za-z0-9_][\w-]*$/
