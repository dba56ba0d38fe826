import { randomUUID } from 'node:crypto'
import type { Notice } from '../../../model/notify.ts'
import { UsageError } from '../../../model/errors.ts'
import { sendNotice } from '../../../notify/send-notice.ts'
import { readSecrets } from '../../../observe/secrets.ts'
import { audienceOf } from '../../../run/notify/notify-targets.ts'
import { messageOf } from '../../../value/error.ts'
import type { CommandContext, CommonOptions } from '../../execute-command.ts'
import { findAccounts } from '../sync/run-accounts.ts'

/** `sluice notify test`: sends a test to everybody who would be told of a problem. The exit code is 1 if one failed. */
export async function notifyTestCommand(
  [words]: [string[]],
  { database }: CommonOptions,
  context: CommandContext,
): Promise<number> {
  const { signal, hide } = context
  const { found } = await findAccounts(words, { database }, context)
  const audience = audienceOf(
    found.map(({ pipeline }) => pipeline),
    process.env,
  )
  if (!audience)
    throw new UsageError(
      'Nobody is told of problems. Set SLUICE_NOTIFY_SLACK or another such variable, or give a pipeline notify, as ' +
        "in { notify: toSlack(secret('SLACK_URL')) }",
    )
  const notice: Notice = {
    id: `test_${randomUUID()}`,
    at: new Date().toISOString(),
    opened: [],
    closed: [],
    isTest: true,
  }
  const secrets = readSecrets(process.env)
  let code = 0
  for (const [name, target] of audience.targets) {
    const pipelines = [...audience.ofPipelines]
      .filter(([, names]) => names.includes(name))
      .map(([pipeline]) => pipeline)
    try {
      await sendNotice(notice, target, { secrets, environment: process.env, signal })
      console.log(`${name}: sent (${pipelines.join(', ')})`)
    } catch (error) {
      signal.throwIfAborted()
      code = 1
      console.error(hide(`${name}: not sent: ${secrets.hide(messageOf(error))}`))
    }
  }
  return code
}
