import { UsageError } from '../../../model/errors.ts'
import { findPipelines } from '../../../run/find-pipelines.ts'
import { serve } from '../../../server/serve.ts'
import type { CommonOptions, CommandContext } from '../../execute-command.ts'
import { withStreams } from '../sync/run.ts'
import { messageOf } from '../../../value/error.ts'

interface ServeCommandOptions extends CommonOptions {
  readonly port: number
  readonly host: string
  readonly allowedHost?: readonly string[]
  readonly tokenFrom?: string
  readonly schedule?: boolean
}

/** `sluice serve`: a page and an API of what runs, until it is stopped. */
export async function serveCommand(
  [words]: [string[]],
  { port, host, allowedHost, tokenFrom, schedule = false, database }: ServeCommandOptions,
  { signal, verbose, hide }: CommandContext,
): Promise<number> {
  const found = withStreams(await findPipelines(words), undefined)
  const partial = found.find(({ streams }) => streams)
  if (partial) throw new UsageError(`sluice serve takes whole pipelines: name ${partial.pipeline.name}`)
  const token = tokenOf(tokenFrom)
  await using server = await serve(
    found.map(({ pipeline }) => pipeline),
    {
      port,
      host,
      schedule,
      database,
      token,
      signal,
      ...(allowedHost && { allowedHosts: allowedHost }),
      onError: (error) =>
        console.error(
          hide(`sluice: ${verbose && Error.isError(error) ? (error.stack ?? error.message) : messageOf(error)}`),
        ),
    },
  )
  const names = found.map(({ pipeline }) => pipeline.name).join(', ')
  console.log(
    `${server.url}  ${names}${schedule ? ', at their schedule' : ''}${token === undefined ? '' : '; it asks for the token'}\nCtrl-C ends it, and the runs that it has started.`,
  )
  await server.ended
  // That it was stopped is how it is meant to end.
  return 0
}

/** Not an option of its own: what stands on a command line is seen by everybody on the machine. */
function tokenOf(name: string | undefined): string | undefined {
  const value = process.env[name ?? 'SLUICE_TOKEN']
  if (name !== undefined && !value)
    throw new UsageError(
      `--token-from ${name}: ${name} is ${value === undefined ? 'not set' : 'empty'} in the environment (or in .env)`,
    )
  return value || undefined
}
