import { UsageError } from '../../../model/errors.ts'
import { serve } from '../../../server/serve.ts'
import { messageOf } from '../../../value/error.ts'
import type { CommandContext, CommonOptions } from '../../execute-command.ts'
import { findAccounts } from '../sync/run-accounts.ts'
import { accountsText } from '../../output/schedule-line.ts'
import { printError } from '../../output/print-error.ts'
import { defined } from '../../../value/defined.ts'

interface ServeCommandOptions extends CommonOptions {
  readonly port: number
  readonly host: string
  readonly allowedHost?: readonly string[]
  readonly tokenFrom?: string
  readonly schedule?: boolean
  readonly distribute?: boolean
}

/** `sluice serve`: serves a page and an API until it is stopped. */
export async function serveCommand(
  [words]: [string[]],
  { port, host, allowedHost, tokenFrom, schedule = false, distribute = false, database }: ServeCommandOptions,
  context: CommandContext,
): Promise<number> {
  const { signal, verbose, hide } = context
  const { found, failed } = await findAccounts(words, { database }, context)
  for (const error of failed) printError(error, context)
  const partial = found.find(({ streams }) => streams)
  if (partial) throw new UsageError(`sluice serve takes whole pipelines: give ${partial.pipeline.name}`)
  const token = readToken(tokenFrom)
  await using server = await serve(
    found.map(({ pipeline }) => pipeline),
    {
      port,
      host,
      schedule,
      distribute,
      database,
      token,
      signal,
      ...defined({ allowedHosts: allowedHost }),
      onAccounts: (change) => console.log(accountsText(change)),
      onError: (error) =>
        console.error(hide(`sluice: ${(verbose && Error.isError(error) && error.stack) || messageOf(error)}`)),
    },
  )
  const names = found.map(({ pipeline }) => pipeline.name).join(', ')
  console.log(
    `${server.url}  ${names}${schedule ? ', with their schedules' : ''}` +
      `${token === undefined ? '' : '; requests need the token'}\n` +
      'Ctrl-C stops the server and the runs that it started.',
  )
  await server.ended
  return 0
}

/** The token is read from the environment, because every user of the machine can read a command line. */
function readToken(variable: string | undefined): string | undefined {
  const value = process.env[variable ?? 'SLUICE_TOKEN']
  if (variable !== undefined && !value)
    throw new UsageError(
      `--token-from ${variable}: ${variable} is ${value === undefined ? 'not set' : 'empty'} ` +
        'in the environment and in .env; set it',
    )
  return value || undefined
}
