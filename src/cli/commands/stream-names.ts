import type { Queryable } from '../../database/queryable.ts'
import { readKnownStreams } from '../../ledger/read/read-known-streams.ts'
import { withoutAccount } from '../../model/account.ts'
import { UsageError } from '../../model/errors.ts'
import { tryPipelines, type FindOptions, type FoundPipeline } from '../../run/find-pipelines.ts'
import { noPipelineRemedy, noStreamText } from '../../run/no-stream-text.ts'
import { defined } from '../../value/defined.ts'
import type { CommandContext } from '../execute-command.ts'

/** The name of a pipeline, or of one of its streams, as given on the command line. */
export interface GivenName {
  readonly pipeline?: string
  readonly stream?: string
}

/** Options that choose accounts. */
export interface AccountOptions {
  readonly account?: string | readonly string[] | undefined
  readonly database?: string | undefined
}

/** Returns how a command finds its pipelines: the chosen accounts, given one by one or with commas. */
export function accountsOf(
  { account, database }: AccountOptions,
  { signal, register }: Pick<CommandContext, 'signal' | 'register'>,
): Pick<FindOptions, 'accounts' | 'database' | 'signal' | 'register'> {
  const given = account === undefined ? undefined : [account].flat()
  const names = given?.flatMap((text) => text.split(',')).map((name) => name.trim())
  return { signal, register, ...defined({ database, accounts: names }) }
}

/** Parses `billing` or `billing.customers` as the ledger stores it. Needs no pipeline file. */
export function parseStreamName(word: string | undefined): GivenName {
  if (word === undefined) return {}
  const [pipeline = '', ...rest] = word.split('.')
  if (!/^\w[\w-]*(?:@[a-z0-9][a-z0-9_-]*)?$/.test(pipeline) || (rest.length > 0 && !/^\w[\w-]*$/.test(rest.join('.'))))
    throw new UsageError(`${word} is not a name: give PIPELINE or PIPELINE.STREAM, as sluice list shows them`)
  return rest.length === 0 ? { pipeline } : { pipeline, stream: rest.join('.') }
}

/** Throws if a name is neither in the ledger nor in pipelines/. The error lists the names that exist. */
export async function requireKnownName(database: Queryable, { pipeline, stream }: GivenName): Promise<void> {
  if (pipeline === undefined) return
  const [stored, { found }] = await Promise.all([readKnownStreams(database), tryPipelines([]).catch(() => NOTHING)])
  const streams = new Map<string, Set<string>>()
  for (const one of stored) streams.set(one.pipeline, new Set([...(streams.get(one.pipeline) ?? []), ...one.streams]))
  for (const { pipeline: one } of found)
    streams.set(one.name, new Set([...(streams.get(one.name) ?? []), ...Object.keys(one.streams)]))
  const names = streams.get(pipeline)
  if (!names) {
    const known = new Map([...streams].map(([name, all]) => [name, [...all]]))
    throw new UsageError(
      `There is no pipeline '${pipeline}', neither in pipelines/ nor in the database (found: ` +
        `${[...streams.keys()].toSorted().join(', ') || 'none'}). ${noPipelineRemedy(pipeline, known)}`,
      { explanation: 'NO_PIPELINE' },
    )
  }
  if (stream !== undefined && !names.has(stream)) throw noStream(pipeline, [stream], [...names])
}

const noStream = (...names: Parameters<typeof noStreamText>): UsageError =>
  new UsageError(noStreamText(...names), { explanation: 'NO_PIPELINE' })

const NOTHING: { readonly found: FoundPipeline[] } = { found: [] }

/** Narrows each pipeline to the streams of `--stream`, which every pipeline must have. */
export function selectStreams(found: readonly FoundPipeline[], streams: readonly string[] = []): FoundPipeline[] {
  if (streams.length === 0) return [...found]
  return found.map((one) => {
    const names = Object.keys(one.pipeline.streams)
    const unknown = streams.filter((stream) => !names.includes(stream))
    if (unknown.length > 0) throw noStream(one.pipeline.name, unknown, names)
    return { ...one, streams: [...new Set([...(one.streams ?? []), ...streams])] }
  })
}

/** Returns the only pipeline that a word names, with its streams selected. */
export function selectOne(found: readonly FoundPipeline[], streams?: readonly string[]): FoundPipeline {
  const [one, other] = selectStreams(found, streams)
  if (!one) throw new UsageError('There is no pipeline. Give a name or a file')
  if (other)
    throw new UsageError(
      `${withoutAccount(one.pipeline.name)} has several accounts. Choose one, as in ${one.pipeline.name} or ` +
        `--account ${one.pipeline.account?.name}: it has ` +
        found.map(({ pipeline }) => pipeline.account?.name).join(', '),
    )
  return one
}
