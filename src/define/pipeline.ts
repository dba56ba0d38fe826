import { UsageError } from '../model/errors.ts'
import type { Notify } from '../model/notify.ts'
import type { Cron, Schedule } from '../model/recipe.ts'
import { defined } from '../value/defined.ts'
import type { Account, PipelineAccount } from './accounts/account.ts'
import type { Accounts } from './accounts/accounts.ts'
import { Flow } from './flow.ts'
import { notifyOf, type NotifyOption } from './notify.ts'
import { rejectUnknownOptions, type OptionNames } from '../model/unknown-option.ts'
import { checkedSchedule } from './schedule/schedule.ts'

/** The streams of a pipeline with their tables, by name. */
export type Flows = Readonly<Record<string, Flow<unknown>>>

/** Options of `pipeline()`. */
export interface PipelineOptions<Streams extends Flows> {
  /**
   * The times at which the pipeline runs: five fields of cron, in UTC unless a zone is given. `sluice schedule` starts
   * it, or your own scheduler with the output of `sluice schedule --print`. @default only when you run it
   */
  schedule?: Cron | Schedule
  /**
   * Who is told of problems, once of each, and once when it is over: `toSlack(secret('SLACK_URL'))`, a list, or false
   * for nobody. `sluice schedule`, `sluice serve` and `sluice run` look for problems. @default what the variables
   * `SLUICE_NOTIFY_…` of the environment say
   */
  notify?: NotifyOption
  streams: Streams
}

/**
 * Flows that run together under one name: what `pipeline()` returns.
 *
 * @example
 * const billing: Pipeline = pipeline('billing', { streams: { customers } })
 */
export interface Pipeline<Streams extends Flows = Flows> extends Readonly<Omit<PipelineOptions<Streams>, 'notify'>> {
  readonly name: string
  readonly notify?: Notify
  /** Set while a pipeline of several accounts runs for one of them. `name` is then `shops@north`. */
  readonly account?: PipelineAccount
}

/** Options of `pipeline()` for several accounts of one API. */
export interface AccountsPipelineOptions<Streams extends Flows> extends Pick<
  PipelineOptions<Streams>,
  'schedule' | 'notify'
> {
  /** The accounts, each of which runs by itself: `accounts('SHOPS')`. */
  for: Accounts
  /** Returns the streams of one account. All accounts have streams of the same names. */
  streams: (account: Account) => Streams
}

/**
 * A pipeline that reads several accounts of one API: what `pipeline()` returns with `for`.
 *
 * @example
 * const shops: AccountsPipeline = pipeline('shops', { for: accounts('SHOPS'), streams: (account) => ({ … }) })
 */
export interface AccountsPipeline<Streams extends Flows = Flows> extends Readonly<
  Omit<AccountsPipelineOptions<Streams>, 'notify'>
> {
  readonly name: string
  readonly notify?: Notify
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
export function pipeline<Streams extends Flows>(
  name: string,
  options: AccountsPipelineOptions<Streams>,
): AccountsPipeline<Streams>
export function pipeline<Streams extends Flows>(name: string, options: PipelineOptions<Streams>): Pipeline<Streams>
export function pipeline(
  name: string,
  options: PipelineOptions<Flows> | AccountsPipelineOptions<Flows>,
): Pipeline | AccountsPipeline {
  const place = `pipeline(${JSON.stringify(name)})`
  if (typeof name !== 'string' || !word.test(name))
    throw new UsageError(
      `${place}: a name consists of letters, digits, '-' and '_', because commands and tables repeat it`,
    )
  rejectUnknownOptions(place, options, OPTIONS)
  if (typeof options?.streams !== 'object' && typeof options?.streams !== 'function')
    throw new UsageError(`${place}: streams is missing, as in { streams: { orders: orders.into('shop.orders', …) } }`)
  const { schedule, notify: told, ...given } = options
  const checked = schedule === undefined ? undefined : checkedSchedule(schedule, place)
  const notify = told === undefined ? undefined : notifyOf(told, place)
  if ('for' in options || typeof options.streams === 'function') {
    if (!('for' in options) || typeof options.streams !== 'function')
      throw new UsageError(
        `${place}: 'for' and a function belong together: { for: accounts('SHOPS'), streams: (account) => ({ … }) }`,
      )
    return Object.freeze({
      name,
      for: options.for,
      streams: options.streams,
      ...defined({ schedule: checked, notify }),
    })
  }
  checkStreams(options.streams, place)
  return Object.freeze({
    name,
    ...given,
    ...defined({ schedule: checked, notify }),
    streams: Object.freeze(options.streams),
  })
}

const OPTIONS: OptionNames<AccountsPipelineOptions<Flows>> = {
  schedule: true,
  notify: true,
  streams: true,
  for: true,
}

/** Throws for streams that cannot be run together. */
export function checkStreams(streams: Flows, place: string): void {
  const replaced = new Map<string, string>()
  for (const [stream, flow] of Object.entries(streams)) {
    if (!word.test(stream))
      throw new UsageError(
        `${place}: the name of the stream ${JSON.stringify(stream)} must consist of letters, digits, '-' and '_', ` +
          'because commands repeat it',
      )
    if (!isFlow(flow))
      throw new UsageError(`${place}: the stream ${stream} has no table. End its chain with .into('schema.table', …)`)
    const { name: table, write } = flow.table
    const other = replaced.get(table)
    if (other !== undefined && (write === 'replace' || streams[other]?.table.write === 'replace'))
      throw new UsageError(
        `${place}: ${other} and ${stream} both write to ${table}, and one of them replaces all of its rows. ` +
          'Give each its own table',
      )
    const others = other === undefined ? undefined : streams[other]?.table.write
    if (others !== undefined && (others === 'history') !== (write === 'history'))
      throw new UsageError(
        `${place}: ${other} and ${stream} both write to ${table}, and one of them keeps its history. ` +
          "Write { write: 'history' } for both, or give each its own table",
      )
    replaced.set(table, stream)
  }
  const mirrored = mirrorProblem(streams)
  if (mirrored !== undefined) throw new UsageError(`${place}: ${mirrored}`)
}

/** A mirror would take the rows of another stream for rows whose records are gone. */
function mirrorProblem(streams: Flows): string | undefined {
  for (const [stream, { table }] of Object.entries(streams)) {
    if (!table.mirror) continue
    const { rowsOf = [] } = table.mirror
    const others = Object.keys(streams).filter((one) => one !== stream && streams[one]?.table.name === table.name)
    const second = others.find((one) => streams[one]?.table.mirror)
    if (second !== undefined)
      return `${stream} and ${second} both mirror ${table.name}: each would delete the rows of the other one`
    const other = others.find((one) => !rowsOf.some((name) => name === one || name.endsWith(`.${one}`)))
    if (other !== undefined)
      return (
        `${stream} and ${other} both write to ${table.name}, and ${stream} deletes rows that it does not bring. ` +
        `Give each its own table. If rows of ${other} may be deleted too, write { mirror: { rowsOf: '${other}' } }`
      )
  }
  return undefined
}

/** Looks at the members and not at the class: a file may import another copy of this package. */
const isFlow = (value: unknown): boolean =>
  value instanceof Flow || (typeof value === 'object' && value !== null && 'recipe' in value && 'table' in value)

const word = /^[A-Za-z0-9_][\w-]*$/
