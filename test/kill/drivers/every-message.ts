import type { Message } from '../../support/pg-proxy.ts'
import { complete, succeeded, survives } from '../checks.ts'
import type { Context, Job } from '../job.ts'
import { small } from '../records.ts'
import { Rig, type Write } from '../rig.ts'
import { isTurning, killedAtMessage, killedAtPlace, killedAtRequest, type When } from '../watches.ts'

/**
 * A kill at every message of one small run, and at every request to the API. The run is carried out once without a
 * kill, to know them.
 */
export async function everyMessage({ databases, random }: Context, write: Write): Promise<Job[]> {
  const data = small()
  const messages: Pick<Message, 'name' | 'text'>[] = []
  await using rig = await Rig.open({ databases, write, data })
  succeeded(
    await rig.start({ watch: { before: ({ name, text }) => void messages.push({ name, text }) } }).ended,
    'the run without a kill',
  )
  await complete(rig, 'after the run without a kill')
  const requests = rig.api.requests
  // After all others the next message is there already, so one of the two is drawn.
  const whens = (message: Pick<Message, 'name' | 'text'>): readonly When[] =>
    isTurning(message) ? ['before', 'after'] : [random() < 0.5 ? 'before' : 'after']
  const job = (name: string, kill: (rig: Rig) => ReturnType<typeof killedAtMessage>): Job => ({
    driver: 'every message',
    name,
    write,
    run: async (successor) => {
      await using rig = await Rig.open({ databases, write, data, successor })
      const place = await kill(rig)
      await survives(rig)
      return place
    },
  })
  return [
    job('killed when its last rows were committed and its end was not', (rig) =>
      killedAtPlace(rig, 'between last batch and end'),
    ),
    ...messages.flatMap((message, at) =>
      whens(message).map((when) =>
        job(`killed ${when} message ${at + 1} (${message.name})`, (rig) => killedAtMessage(rig, at + 1, when)),
      ),
    ),
    ...Array.from({ length: requests }, (_, at) =>
      (['before', 'after'] as const).map((when) =>
        job(`killed ${when} the answer to request ${at + 1}`, (rig) => killedAtRequest(rig, at + 1, when)),
      ),
    ).flat(),
  ]
}
