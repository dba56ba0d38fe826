import { randomUUID } from 'node:crypto'
import type { Database } from '../../database/database.ts'
import type { Pipeline } from '../../define/pipeline.ts'
import { settle } from '../../flow/settle.ts'
import { claimNotices, noteIncidents, noteNotSent, noteSent, type ClaimedNotice } from '../../ledger/incidents.ts'
import type { Notice, NotifyTarget } from '../../model/notify.ts'
import type { Secrets } from '../../model/scope.ts'
import { sendNotice } from '../../notify/send-notice.ts'
import { messageOf, toError } from '../../value/error.ts'
import { readStatusFrom } from '../status/status.ts'
import { audienceOf } from './notify-targets.ts'
import { problemsOf } from './problems-of.ts'

export interface TellOptions {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly secrets: Secrets
  /** @default the time of the system */
  readonly now?: Date
  /** Called with a sentence about each target that could not be told. It is tried again later. */
  readonly onProblem: (message: string) => void
  readonly signal: AbortSignal
}

/**
 * Looks for problems of pipelines, and tells those who have to be told: once of each problem, and once when it is over.
 * Several processes may do this at once; each message is sent by one of them.
 */
export async function tellIncidents(
  database: Database,
  pipelines: readonly Pipeline[],
  options: TellOptions,
): Promise<void> {
  const { environment, signal, now = new Date() } = options
  const audience = audienceOf(pipelines, environment)
  if (!audience) return
  const told = pipelines.filter(({ name }) => audience.ofPipelines.has(name))
  const report = await readStatusOf(database, told, { now, signal })
  await noteIncidents(database, {
    found: problemsOf(report, audience),
    targets: audience.ofPipelines,
    undecided: report.streams.filter(({ state }) => state === 'running'),
    signal,
  })
  const claimed = await claimNotices(database, [...audience.targets.keys()], { signal })
  const { failed } = await settle(
    [...Map.groupBy(claimed, ({ target }) => target)].map(async ([name, notices]) => {
      const target = audience.targets.get(name)
      if (target) await send(database, target, { name, notices, options })
    }),
  )
  const [first] = failed
  if (first !== undefined) throw toError(first)
}

async function readStatusOf(
  database: Database,
  pipelines: readonly Pipeline[],
  { now, signal }: { readonly now: Date; readonly signal: AbortSignal },
) {
  await using snapshot = await database.transaction({ readOnly: true, statementTimeout: '1m', signal })
  return await readStatusFrom(pipelines, snapshot, { now })
}

/** Sends what one target has to be told, in one message. */
async function send(
  database: Database,
  target: NotifyTarget,
  {
    name,
    notices,
    options: { secrets, environment, onProblem, signal },
  }: { readonly name: string; readonly notices: readonly ClaimedNotice[]; readonly options: TellOptions },
): Promise<void> {
  const ids = notices.map(({ id }) => id)
  try {
    await sendNotice(noticeOf(notices), target, { secrets, environment, signal })
  } catch (error) {
    signal.throwIfAborted()
    const reason = secrets.hide(messageOf(error))
    await noteNotSent(database, ids, reason)
    onProblem(`an alarm could not be sent to ${name}, and is sent again later: ${reason}`)
    return
  }
  await noteSent(database, ids)
}

/** The id is that of the first notice, so that a receiver knows a message that is sent again. */
function noticeOf(notices: readonly ClaimedNotice[]): Notice {
  const of = (event: ClaimedNotice['event']) =>
    notices.filter((one) => one.event === event).map(({ incident }) => incident)
  return {
    id: `notice_${notices[0]?.id ?? randomUUID()}_${notices.length}`,
    at: new Date().toISOString(),
    opened: of('opened'),
    closed: of('closed'),
  }
}
