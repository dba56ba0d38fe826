import { UsageError } from '../../../model/errors.ts'
import { findPipelines } from '../../../run/find-pipelines.ts'
import { login } from '../../../run/login/login.ts'
import type { Duration } from '../../../value/duration.ts'
import type { CommandContext, CommonOptions } from '../../execute-command.ts'
import { accountsOf, selectOne } from '../stream-names.ts'

interface LoginCommandOptions extends CommonOptions {
  readonly device?: boolean
  readonly port: number
  readonly timeout: Duration
}

/** `sluice login`: stores the first refresh token of a pipeline, which a person lets the server give. */
export async function loginCommand(
  [word]: [string],
  { device = false, port, timeout, database }: LoginCommandOptions,
  context: CommandContext,
): Promise<number> {
  const { signal } = context
  const all = await findPipelines([word], accountsOf({ database }, context))
  if (all.length > 1) {
    const examples = all.map(({ pipeline }) => `sluice login ${pipeline.name}`).join(', ')
    throw new UsageError(`${word} has several accounts. Log in for each: ${examples}`)
  }
  const found = selectOne(all)
  const {
    variable,
    isSet,
    database: place,
  } = await login(found, {
    device,
    port,
    timeout,
    database,
    signal,
    show: (text) => console.log(text),
  })
  console.log(`The tokens are stored in ${place}, encrypted. Runs use them from now on.`)
  if (isSet) console.log(`They stand in place of the value that ${variable} has now. A new value would begin anew.`)
  return 0
}
