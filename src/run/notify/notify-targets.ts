import type { Pipeline } from '../../define/pipeline.ts'
import { toCommand, toEmail, toSlack, toWebhook } from '../../define/notify.ts'
import { secret } from '../../define/api/auth.ts'
import { UsageError } from '../../model/errors.ts'
import { targetName, type Notify, type NotifyTarget } from '../../model/notify.ts'
import { readSecrets } from '../../observe/secrets.ts'
import { PING_VARIABLE } from './ping.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** The variables for the alarms of all pipelines that do not say otherwise. */
export const NOTIFY_VARIABLES = {
  webhook: 'SLUICE_NOTIFY_WEBHOOK',
  signWith: 'SLUICE_NOTIFY_SECRET',
  slack: 'SLUICE_NOTIFY_SLACK',
  email: 'SLUICE_NOTIFY_EMAIL',
  from: 'SLUICE_NOTIFY_FROM',
  server: 'SLUICE_SMTP_URL',
  command: 'SLUICE_NOTIFY_COMMAND',
} as const

/** Returns the targets for pipelines without `notify`. Throws a UsageError for variables that do not go together. */
export function defaultTargets(environment: Environment): NotifyTarget[] {
  const { webhook, signWith, slack, email, from, server, command } = NOTIFY_VARIABLES
  const { isSet = () => false } = readSecrets(environment)
  const targets: NotifyTarget[] = []
  if (isSet(webhook)) targets.push(toWebhook(secret(webhook), isSet(signWith) ? { signWith: secret(signWith) } : {}))
  if (isSet(slack)) targets.push(toSlack(secret(slack)))
  const to = listOf(environment[email])
  if (to.length > 0) {
    const sender = environment[from] ?? ''
    if (sender === '' || !isSet(server))
      throw new UsageError(
        `${email} needs ${from}, the address of the sender, and ${server}, such as smtp://user:password@mail.example`,
      )
    targets.push(toEmail(to, { from: sender, server: secret(server) }))
  }
  const program = environment[command]
  if (program) targets.push(toCommand(program))
  return targets
}

const listOf = (text = ''): string[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')

/** Returns what is told of a pipeline: as it says, else as the environment says. */
export const notifyOfPipeline = ({ notify }: Pick<Pipeline, 'notify'>, environment: Environment): Notify =>
  notify ?? { to: defaultTargets(environment) }

/**
 * True if somebody has to be told of problems, or that a scheduler runs. Throws for variables that do not go together.
 */
export const hasAlarms = (pipelines: readonly Pick<Pipeline, 'name' | 'notify'>[], environment: Environment): boolean =>
  audienceOf(pipelines, environment) !== undefined || readSecrets(environment).isSet?.(PING_VARIABLE) === true

/** Who has to be told of which pipelines. */
export interface Audience {
  /** All targets, by name. */
  readonly targets: ReadonlyMap<string, NotifyTarget>
  /** The names of the targets of each pipeline that has some. */
  readonly ofPipelines: ReadonlyMap<string, readonly string[]>
  readonly rejects: ReadonlyMap<string, number>
}

/** Returns who has to be told. Undefined if nobody has. */
export function audienceOf(
  pipelines: readonly Pick<Pipeline, 'name' | 'notify'>[],
  environment: Environment,
): Audience | undefined {
  const targets = new Map<string, NotifyTarget>()
  const ofPipelines = new Map<string, readonly string[]>()
  const rejects = new Map<string, number>()
  for (const pipeline of pipelines) {
    const notify = notifyOfPipeline(pipeline, environment)
    if (notify.to.length === 0) continue
    for (const target of notify.to) targets.set(targetName(target), target)
    ofPipelines.set(pipeline.name, [...new Set(notify.to.map(targetName))])
    if (notify.rejects !== undefined) rejects.set(pipeline.name, notify.rejects)
  }
  return ofPipelines.size === 0 ? undefined : { targets, ofPipelines, rejects }
}
