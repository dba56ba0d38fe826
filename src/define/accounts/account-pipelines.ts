import { accountPipelineName } from '../../model/account.ts'
import { UsageError } from '../../model/errors.ts'
import { defined } from '../../value/defined.ts'
import { toError } from '../../value/error.ts'
import { Flow } from '../flow.ts'
import { checkStreams, type AccountsPipeline, type Flows, type Pipeline } from '../pipeline.ts'
import { openAccount, type PipelineAccount } from './account.ts'
import type { AccountData } from './parse-accounts.ts'
import { variablePart } from './variable-name.ts'

export interface AccountPipelines {
  /** A pipeline for each account that can run. */
  readonly pipelines: readonly Pipeline[]
  /** Accounts for which the function `streams` has thrown, such as for a value that is missing. */
  readonly failed: readonly { readonly account: string; readonly error: Error }[]
}

/**
 * Returns a pipeline for each account. The function `streams` is called once for each. Throws if it throws for all of
 * them, or if their streams have different names.
 */
export function accountPipelines(
  definition: AccountsPipeline,
  accounts: readonly AccountData[],
  environment: Readonly<Record<string, string | undefined>>,
): AccountPipelines {
  const used = new Map<string, string>()
  const pipelines: Pipeline[] = []
  const failed: { readonly account: string; readonly error: Error }[] = []
  for (const data of accounts) {
    try {
      pipelines.push(pipelineOf(definition, data, environment, used))
    } catch (error) {
      failed.push({ account: data.name, error: toError(error) })
    }
  }
  const [first] = failed
  if (first && pipelines.length === 0) throw first.error
  requireSameStreams(pipelines)
  return { pipelines, failed }
}

function pipelineOf(
  definition: AccountsPipeline,
  data: AccountData,
  environment: Readonly<Record<string, string | undefined>>,
  used: Map<string, string>,
): Pipeline {
  const { name: pipeline, schedule, notify, for: accounts, streams: streamsOf } = definition
  const { column, concurrency } = accounts
  const prefix = accountPrefix(definition, data.name)
  const { account, own } = openAccount(data, { pipeline, prefix, column, concurrency, environment, used })
  const name = accountPipelineName(pipeline, data.name)
  const place = `pipeline(${JSON.stringify(pipeline)}) for the account ${data.name}`
  const flows: unknown = streamsOf(account)
  if (typeof flows !== 'object' || flows === null || 'then' in flows)
    throw new UsageError(`${place}: streams must return an object of streams, and not a promise`)
  checkStreams(flows as Flows, place)
  const streams = Object.entries(flows as Flows).map(([stream, flow]) => [stream, withColumn(flow, stream, own)])
  return Object.freeze({
    name,
    ...defined({ schedule, notify }),
    account: own,
    streams: Object.freeze(Object.fromEntries(streams) as Flows),
  })
}

/** Returns the beginning of the names of an account's variables, such as `SHOPS_NORTH_`. */
export function accountPrefix({ name, for: { source, prefix } }: AccountsPipeline, account: string): string {
  const begin = prefix ?? ('variable' in source ? source.variable : variablePart(name))
  return `${begin}_${variablePart(account)}_`
}

/** Returns a flow whose table has the column of the account in its key. */
function withColumn({ recipe, table }: Flow<unknown>, stream: string, own: PipelineAccount): Flow<unknown> {
  const { pipeline, name: value, column } = own
  if (table.write === 'replace')
    throw new UsageError(
      `${pipeline}.${stream}: replace removes all rows that were not read, also those of the other accounts. ` +
        "Write { write: 'merge' } with a key, or give each account a pipeline and a table of its own",
    )
  return new Flow(recipe, { ...table, account: { name: column, value } })
}

const namesOf = ({ streams }: Pipeline): string => Object.keys(streams).toSorted().join(', ')

function requireSameStreams(pipelines: readonly Pipeline[]): void {
  const [first, ...others] = pipelines
  const other = first && others.find((one) => namesOf(one) !== namesOf(first))
  if (!other) return
  throw new UsageError(
    `${first.name} has the streams ${namesOf(first)}, and ${other.name} has ${namesOf(other)}. ` +
      'All accounts of a pipeline have streams of the same names: put accounts that differ into another pipeline',
  )
}
